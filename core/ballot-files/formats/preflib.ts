import {
  BallotBox,
  type BallotFile,
  BallotFileError,
  type BallotReader,
  keyOf,
  MAX_CANDIDATES,
  numbered,
  type Place,
  quoted,
  uniqueNames,
} from './ballot-file.ts';

/** The endings of PrefLib files with orders: strict or with ties, complete or incomplete. */
export const PREFLIB_ENDINGS = ['.soc', '.soi', '.toc', '.toi'] as const;

/**
 * The orders of PrefLib (preflib.org): files ending in .soc, .soi, .toc and .toi. Since 2022, they begin with `# KEY: value`
 * lines, and a ballot is `3: 1,{2,4}`. Older files begin with the number of candidates and a line `1,Name` for each, followed
 * by `voters,sum,orders`, and a ballot is `3,1,{2,4}`. Braces enclose equally ranked candidates.
 */
export class PrefLibReader implements BallotReader {
  private readonly box = new BallotBox();
  private style: 'new' | 'old' | undefined;
  private title: string | undefined;
  private candidates: number | undefined;
  private readonly names: string[] = [];
  private keys: string[] = [];
  /** How many ballots the file says it has, and where. */
  private stated: { readonly voters: number; readonly place: Place } | undefined;
  private counted = 0;
  private last: Place = { line: 1, column: 1 };

  take(text: string, line: number): void {
    if (text.trim() === '') return;
    this.last = { line, column: text.trimEnd().length + 1 };
    this.style ??= text.trimStart().startsWith('#') ? 'new' : 'old';
    if (text.trimStart().startsWith('#')) this.metadata(text, line);
    else if (this.style === 'new') this.ballot(text, line, ':');
    else if (this.candidates === undefined)
      this.candidates = this.numberOfCandidates(text.trim().replace(/,+$/, ''), placeIn(text, line));
    else if (this.names.length < this.candidates) this.oldName(text, line);
    else if (!this.stated) this.oldSums(text, line);
    else this.ballot(text, line, ',');
  }

  end(): BallotFile {
    const { last, stated, counted, box, title } = this;
    if (this.style === undefined)
      throw new BallotFileError(last, 'the file is empty; expected a PrefLib file (.soc, .soi, .toc or .toi)');
    this.checkNames(last);
    if (stated && stated.voters !== counted) {
      throw new BallotFileError(
        stated.place,
        `the file says that it has ${numbered(stated.voters, 'ballot')}, but there are ${counted}; it is incomplete or was changed`,
      );
    }
    const candidates = uniqueNames(this.names);
    return { title, candidates, withdrawn: [], form: 'ranks', tally: box.tally, blank: box.blank, notes: [] };
  }

  private metadata(text: string, line: number): void {
    const [, key = '', value = ''] = /^\s*#\s*([^:]*?)\s*:\s*(.*?)\s*$/.exec(text) ?? [];
    const place = { line, column: Math.max(text.length - value.length, 0) + 1 };
    if (key === 'TITLE') this.title = value || undefined;
    else if (key === 'NUMBER ALTERNATIVES') this.candidates = this.numberOfCandidates(value, place);
    else if (key === 'NUMBER VOTERS') this.stated = { voters: sumOf(value, place), place };
    else if (key === 'DATA TYPE' && !PREFLIB_ENDINGS.some((ending) => ending === `.${value}`)) {
      throw new BallotFileError(place, `the data type is ${quoted(value)}; expected soc, soi, toc or toi`);
    } else {
      const [, number] = /^ALTERNATIVE NAME (\d{1,9})$/.exec(key) ?? [];
      if (number !== undefined)
        this.names[this.position(number, place, MAX_CANDIDATES)] = value || `Candidate ${number}`;
    }
  }

  private numberOfCandidates(text: string, place: Place): number {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (number >= 1 && number <= MAX_CANDIDATES) return number;
    throw new BallotFileError(
      place,
      `the number of candidates is ${quoted(text)}; expected a whole number from 1 to ${MAX_CANDIDATES}`,
    );
  }

  private position(text: string, place: Place, max: number): number {
    const number = Number(text);
    if (number >= 1 && number <= max) return number - 1;
    throw new BallotFileError(place, `there is no candidate ${text}; expected a number from 1 to ${max}`);
  }

  private oldName(text: string, line: number): void {
    const [, number, name = ''] = /^\s*(\d{1,9})\s*,(.*)$/.exec(text) ?? [];
    const expected = this.names.length + 1;
    if (number === undefined || Number(number) !== expected) {
      throw new BallotFileError(
        placeIn(text, line),
        `${quoted(text)}; expected the name of candidate ${expected} of ${this.candidates}, such as "${expected},Adam"`,
      );
    }
    this.names.push(name.trim().replace(/^"(.*)"$/, '$1') || `Candidate ${number}`);
  }

  private oldSums(text: string, line: number): void {
    const [, , sum] = /^\s*(\d+)\s*,\s*(\d+)\s*,\s*\d+\s*$/.exec(text) ?? [];
    if (sum === undefined) {
      throw new BallotFileError(
        placeIn(text, line),
        `${quoted(text)}; expected the numbers of voters, ballots and different orders, such as "475,475,41"`,
      );
    }
    const place = placeIn(text, line);
    this.stated = { voters: sumOf(sum, place), place };
  }

  private checkNames(place: Place): void {
    if (this.candidates === undefined && this.style === 'new') this.candidates = this.names.length;
    const expected = this.candidates ?? 0;
    const missing = Array.from({ length: expected }, (_, i) => i).find((i) => this.names[i] === undefined);
    if (expected === 0)
      throw new BallotFileError(place, 'no candidate is named; expected lines such as "# ALTERNATIVE NAME 1: Adam"');
    if (missing !== undefined) throw new BallotFileError(place, `candidate ${missing + 1} of ${expected} is not named`);
    if (this.names.length > expected) {
      throw new BallotFileError(
        place,
        `the file says that there are ${numbered(expected, 'candidate')}, but it names ${this.names.length}`,
      );
    }
  }

  private ballot(text: string, line: number, separator: ':' | ','): void {
    const place = placeIn(text, line);
    if (this.keys.length === 0) {
      this.checkNames(place);
      this.keys = this.names.map((_, i) => keyOf(i));
    }
    const [head = '', count] = /^\s*(\d+)\s*([:,]|$)/.exec(text) ?? [];
    if (count === undefined || (text.length > head.length && !head.endsWith(separator))) {
      throw new BallotFileError(place, `${quoted(text)}; expected a ballot, such as "3${separator} 1,2,{3,4}"`);
    }
    this.counted += Number(count);
    this.box.add(this.order(text, head.length, line), count, place);
  }

  /** The order in a line, from `start` on, as a choice. */
  private order(text: string, start: number, line: number): string {
    const groups: number[][] = [];
    const seen = new Set<number>();
    let group: number[] | undefined;
    let needsComma = false;
    for (let at = start; at < text.length; at++) {
      const sign = text[at] as string;
      const place = { line, column: at + 1 };
      if (sign.trim() === '') continue;
      if (sign === ',' && needsComma) needsComma = false;
      else if (sign === '{' && !group && !needsComma) group = [];
      else if (sign === '}' && group) {
        if (group.length > 0) groups.push(group.sort((a, b) => a - b));
        group = undefined;
        needsComma = true;
      } else {
        const [number] = /^\d{1,9}/.exec(text.slice(at, at + 10)) ?? [];
        if (number === undefined || needsComma) {
          throw new BallotFileError(
            place,
            `${quoted(sign)}; expected numbers of candidates separated by commas, with equally ranked ones in braces, such as "1,{2,3}"`,
          );
        }
        const index = this.position(number, place, this.keys.length);
        if (seen.has(index)) throw new BallotFileError(place, `candidate ${number} is ranked twice on this ballot`);
        seen.add(index);
        if (group) group.push(index);
        else groups.push([index]);
        at += number.length - 1;
        needsComma = true;
      }
    }
    if (group)
      throw new BallotFileError(
        { line, column: text.length + 1 },
        'the brace is not closed; expected "}" on the same line',
      );
    return groups.map((level) => level.map((index) => this.keys[index]).join('=')).join('>');
  }
}

function placeIn(text: string, line: number): Place {
  return { line, column: text.length - text.trimStart().length + 1 };
}

function sumOf(text: string, place: Place): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new BallotFileError(place, `the number of voters is ${quoted(text)}; expected a whole number`);
}
