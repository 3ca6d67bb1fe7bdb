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
import { Tokens } from './tokens.ts';

/** How many strings may follow the title: Wichmann's programs write a source and a comment. */
const MAX_REMARKS = 2;

/**
 * BLT, the format of Hill, Wichmann and Woodall (“Algorithm 123: single transferable vote by Meek’s method”, 1987) with the
 * extensions of OpenSTV and OpaVote: comments after `#`, ballot ids in parentheses, `=` between equally ranked candidates, `-`
 * for a skipped rank, and ballots with decimal weights.
 *
 *     4 2               candidates and seats
 *     -3                candidates who withdrew
 *     3 1 4=2 0         three ballots: first 1, then 4 and 2 equally
 *     (A7) 1 2 - 3 0    one ballot with an id
 *     0                 end of the ballots
 *     "Adam"            the candidates’ names, then the title
 *
 * Of the options of Droop (J. Lundell’s counter), `[withdrawn 3]` and `[nick a b c]`, short names used on ballots, are read.
 * Lines after the title that are not in quotation marks are ignored.
 *
 * A ballot must end with 0 on the line on which it begins. Otherwise, a missing 0 could silently make two ballots one.
 */
export class BltReader implements BallotReader {
  private readonly box = new BallotBox();
  private part: 'candidates' | 'seats' | 'ballots' | 'names' = 'candidates';
  private candidates = 0;
  private seats = 0;
  private keys: string[] = [];
  private readonly withdrawn = new Set<number>();
  private readonly nicknames = new Map<string, number>();
  private hasBallots = false;
  private readonly names: NameLine[] = [];
  private last: Place = { line: 1, column: 1 };

  take(text: string, line: number): void {
    const end = text.trimEnd().length;
    if (end > 0) this.last = { line, column: end + 1 };
    const from = this.part === 'names' ? 0 : this.numbers(text, line);
    if (this.part !== 'names') return;
    // Some programs write figures of the count after the title.
    if (this.names.length > this.candidates && !text.trimStart().startsWith('"')) return;
    const strings = stringsOf(text, from, line);
    if (strings.length > 0) this.names.push({ strings, place: { line, column: from + 1 } });
  }

  end(): BallotFile {
    const { last } = this;
    if (this.part === 'candidates')
      throw new BallotFileError(last, 'the file is empty; expected the numbers of candidates and seats, such as "4 2"');
    if (this.part === 'seats') throw new BallotFileError(last, 'the file ends before the number of seats');
    if (this.part === 'ballots') {
      throw new BallotFileError(
        last,
        'the file ends before the ballots do; expected a line with 0, then the names of the candidates',
      );
    }
    const { names, title } = this.named();
    const { seats, withdrawn, box } = this;
    const twice = uniqueNames(names).some((name, i) => name !== names[i]);
    return {
      title,
      seats,
      candidates: uniqueNames(names),
      withdrawn: [...withdrawn],
      form: 'ranks',
      tally: box.tally,
      blank: box.blank,
      notes: twice ? ['several candidates have the same name; a number was added to tell them apart'] : [],
    };
  }

  /** Reads everything before the names. Returns where the names begin, or the length of the line. */
  private numbers(text: string, line: number): number {
    const tokens = new Tokens(text, line);
    for (let token = tokens.next(); token !== undefined; token = tokens.next()) {
      if (this.part === 'candidates') {
        this.candidates = whole(token, tokens.place, 'the number of candidates', MAX_CANDIDATES);
        this.keys = Array.from({ length: this.candidates }, (_, i) => keyOf(i));
        this.part = 'seats';
      } else if (this.part === 'seats') {
        this.seats = whole(token, tokens.place, 'the number of seats', this.candidates);
        this.part = 'ballots';
      } else if (token === '0') {
        this.part = 'names';
        return tokens.end;
      } else if (token.startsWith('[')) this.option(token, tokens);
      else if (/^-./.test(token)) this.withdraw(token.slice(1), tokens.place);
      else this.ballot(token, tokens);
    }
    return text.length;
  }

  private option(first: string, tokens: Tokens): void {
    const { place } = tokens;
    const values: { readonly text: string; readonly place: Place }[] = [];
    const name = first.replace(/\]$/, '');
    let isOpen = name === first;
    while (isOpen) {
      const token = tokens.next();
      if (token === undefined)
        throw new BallotFileError(place, 'the option is not closed; expected "]" on the same line');
      isOpen = !token.endsWith(']');
      const text = token.replace(/\]$/, '');
      if (text !== '') values.push({ text, place: tokens.place });
    }
    if (name === '[withdrawn') for (const value of values) this.withdraw(value.text, value.place);
    else if (name === '[nick') for (const [i, { text }] of values.entries()) this.nicknames.set(text, i);
    else
      throw new BallotFileError(
        place,
        `${quoted(`${name} …]`)} is not supported; expected [withdrawn …], [nick …] or a ballot. If the line can be left out, remove it`,
      );
  }

  private withdraw(candidate: string, place: Place): void {
    if (this.hasBallots) {
      throw new BallotFileError(
        place,
        `candidate ${candidate} withdraws after a ballot; withdrawn candidates must be named before the first ballot`,
      );
    }
    this.withdrawn.add(this.index(candidate, place));
  }

  private ballot(first: string, tokens: Tokens): void {
    const { place } = tokens;
    let count: string | undefined = first;
    if (first.startsWith('(')) {
      tokens.skipPast(')');
      count = tokens.next();
    }
    if (count === undefined || !/^\d+(\.\d+)?$/.test(count)) {
      const found = count === undefined ? 'the line ends' : quoted(count);
      const expected = 'expected a ballot, such as "3 1 2 0", or a line with 0 that ends the ballots';
      throw new BallotFileError(count === undefined ? place : tokens.place, `${found}; ${expected}`);
    }
    this.hasBallots = true;
    const choice: string[] = [];
    const seen = new Set<number>();
    for (;;) {
      const token = tokens.next();
      if (token === undefined) {
        throw new BallotFileError(tokens.place, 'the ballot does not end; expected 0 at its end, on the same line');
      }
      if (token === '0') break;
      if (token === '-') continue;
      choice.push(this.rank(token, tokens.place, seen));
    }
    this.box.add(choice.join('>'), count, place);
  }

  /** The key of a candidate, or several keys of equally ranked candidates, in the order of the file. */
  private rank(token: string, { line, column }: Place, seen: Set<number>): string {
    let at = column;
    const level: number[] = [];
    for (const part of token.includes('=') ? token.split('=') : [token]) {
      const index = this.index(part, { line, column: at });
      if (seen.has(index))
        throw new BallotFileError({ line, column: at }, `candidate ${part} is ranked twice on this ballot`);
      seen.add(index);
      level.push(index);
      at += part.length + 1;
    }
    return level.length === 1
      ? (this.keys[level[0] as number] as string)
      : level
          .sort((a, b) => a - b)
          .map((index) => this.keys[index])
          .join('=');
  }

  private index(text: string, place: Place): number {
    const nicknamed = this.nicknames.get(text);
    if (nicknamed !== undefined && nicknamed < this.candidates) return nicknamed;
    if (!/^\d+$/.test(text)) {
      throw new BallotFileError(
        place,
        `${quoted(text)}; expected the number of a candidate, from 1 to ${this.candidates}, or 0 at the end of the ballot`,
      );
    }
    const number = Number(text);
    if (number < 1 || number > this.candidates) {
      throw new BallotFileError(place, `there is no candidate ${text}; expected a number from 1 to ${this.candidates}`);
    }
    return number - 1;
  }

  /** The names and the title. Usually each has its own line; a line may also hold a name and a party, or several names. */
  private named(): { names: string[]; title: string | undefined } {
    const { candidates, last } = this;
    const all = this.names.flatMap(({ strings, place }) => strings.map((text) => ({ text, place })));
    const hasParties = this.names.length >= candidates && all.length > candidates + 1;
    const strings = hasParties
      ? this.names.map(({ strings: [name = '', ...party], place }) => ({
          text: party.length > 0 ? `${name} (${party.join(', ')})` : name,
          place,
        }))
      : all;
    if (strings.length < candidates) {
      const found =
        strings.length === 0
          ? 'no candidate is named'
          : `only ${strings.length} of ${numbered(candidates, 'candidate')} named`;
      throw new BallotFileError(
        last,
        `${found}; expected ${numbered(candidates, 'name')} after the ballots, then the title`,
      );
    }
    const extra = strings[candidates + 1 + MAX_REMARKS];
    if (extra) {
      throw new BallotFileError(
        extra.place,
        `${quoted(extra.text)} after the title; the file says that there are ${numbered(candidates, 'candidate')}`,
      );
    }
    const names = strings.slice(0, candidates);
    const empty = names.find(({ text }) => text.trim() === '');
    if (empty) throw new BallotFileError(empty.place, 'the name of a candidate is empty');
    return { names: names.map(({ text }) => text), title: strings[candidates]?.text || undefined };
  }
}

interface NameLine {
  readonly strings: readonly string[];
  readonly place: Place;
}

function whole(token: string, place: Place, what: string, max: number): number {
  const number = /^\d{1,9}$/.test(token) ? Number(token) : 0;
  if (number >= 1 && number <= max) return number;
  throw new BallotFileError(place, `${what} is ${quoted(token)}; expected a whole number from 1 to ${max}`);
}

/**
 * The names on a line: `"Adam"`, `"Adam" "Basil"`, or text without quotation marks as one name. Some published files were
 * exported as CSV, which doubles the quotation marks: `"""Adam"" ""Party"""`.
 */
function stringsOf(text: string, from: number, line: number): string[] {
  const rest = text.slice(from);
  const trimmed = rest.trim();
  if (trimmed === '' || trimmed.startsWith('#')) return [];
  if (!trimmed.startsWith('"')) return [trimmed.replace(/\s+#.*$/, '')];
  const [, inside] = /^"(.*)"\s*(?:#.*)?$/.exec(trimmed) ?? [];
  if (inside === undefined) {
    throw new BallotFileError(
      { line, column: text.indexOf('"', from) + 1 },
      'the quotation mark is not closed on this line',
    );
  }
  const plain = inside.includes('""') ? inside.replaceAll('""', '"').replace(/^"(.*)"$/, '$1') : inside;
  return plain.split(/"\s+"/);
}
