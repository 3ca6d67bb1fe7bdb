import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { compareOffsets, type Offset } from '../store/offset.ts';
import { balances, sumAccounting } from '../voting/accounting.ts';
import { decodeEntry, type Entry, encodeEntry } from '../voting/entry.ts';
import { type Definition, MUTABLE, type Poll, type RoundRecord, recordOf } from '../voting/poll.ts';
import { entryOfRound, Recount } from '../voting/recount.ts';
import { figuresOf } from '../voting/result.ts';
import { merge, type Tally } from '../voting/tally.ts';
import { drawLot } from './lot.ts';

/**
 * An audit bundle: all that a finished round's result follows from, as lines of JSON. The first tells of the round, then
 * comes each entry of its vote log, the last tells the result. Each line holds the SHA-256 of the line before it and of its
 * own content, so that whoever knows the last hash knows that nothing was changed, left out or put in.
 */
const FORMAT = 'pollcast audit bundle';
const VERSION = 1;
/** Differences told one by one. */
const MAX_TOLD = 20;

interface Header {
  readonly format: typeof FORMAT;
  readonly version: number;
  readonly poll: string;
  readonly round: number;
  readonly partitions: number;
  readonly definition: Definition;
  readonly record: RoundRecord;
}

type Content =
  | { readonly header: Header }
  | { readonly partition: number; readonly offset: string; readonly entry: string }
  | { readonly result: unknown };

/** The lines of a bundle, one after the other. */
export class BundleWriter {
  private readonly poll: Poll;
  private readonly recounts: readonly Recount[];
  private hash = '';

  constructor(poll: Poll, partitions: number) {
    this.poll = poll;
    const { definition, round } = poll;
    this.recounts = Array.from({ length: partitions }, () => new Recount(definition.poll, round));
  }

  header(): string {
    const { definition, round } = this.poll;
    const { poll } = definition;
    const partitions = this.recounts.length;
    const record = recordOf(this.poll);
    return this.line({ header: { format: FORMAT, version: VERSION, poll, round, partitions, definition, record } });
  }

  /** The line of a logged entry; empty when it is not about the round. */
  entry(partition: number, offset: string, entry: Entry): string {
    const { definition, round } = this.poll;
    const ours = entryOfRound(entry, definition.poll, round);
    if (!ours || (ours.type === 'votes' && ours.rounds.length === 0)) return '';
    this.recounts[partition]?.add([ours]);
    return this.line({ partition, offset, entry: encodeEntry(ours) });
  }

  result(): string {
    return this.line({ result: outcomeOf(this.poll, this.recounts) });
  }

  private line(content: Content): string {
    this.hash = hashOf(this.hash, content);
    return `${JSON.stringify({ ...content, hash: this.hash })}\n`;
  }
}

export interface BundleReport {
  /** What is wrong; empty: the bundle says what its own log says. */
  readonly problems: readonly string[];
  readonly poll: string;
  readonly round: number;
  readonly entries: number;
  /** The last hash: compare it with the one that was published. */
  readonly hash: string;
  readonly outcome: ReturnType<typeof outcomeOf> | undefined;
}

/** Checks a bundle: its chain, and that folding its log gives the result it tells. Needs no server. */
export async function verifyBundle(lines: AsyncIterable<string>): Promise<BundleReport> {
  const problems: string[] = [];
  let [header, poll, stated]: [Header | undefined, Poll | undefined, unknown] = [undefined, undefined, undefined];
  let recounts: Recount[] = [];
  let [hash, number, entries] = ['', 0, 0];
  const places = new Places();
  for await (const text of lines) {
    number++;
    if (text === '') continue;
    const { hash: told, ...content } = parsed(text, number, problems) ?? {};
    hash = hashOf(hash, content as Content);
    if (told !== hash) {
      problems.push(
        `line ${number}: the hash does not fit: this line or one before it was changed, left out or put in`,
      );
      break;
    }
    if (stated !== undefined) problems.push(`line ${number}: comes after the result`);
    else if ('header' in content && !header) {
      header = content.header as Header;
      if (header.format !== FORMAT || header.version !== VERSION) {
        problems.push(`line ${number}: not version ${VERSION} of an ${FORMAT}`);
        break;
      }
      const { definition, record, round, partitions } = header;
      poll = { definition, status: 'closed', round, createdAtMs: 0, ...record };
      problems.push(...headerProblems(header).map((problem) => `line ${number}: ${problem}`));
      recounts = Array.from({ length: partitions }, () => new Recount(definition.poll, round));
    } else if ('entry' in content && poll) {
      const { partition, offset, entry: wire } = content as { partition: number; offset: string; entry: string };
      const entry = decodeEntry(wire);
      entries++;
      const found = [
        ...markerProblems(entry, poll),
        ...places.problems(entry, partition, offset, poll, recounts.length),
      ];
      problems.push(...found.map((problem) => `line ${number}: ${problem}`));
      recounts[partition]?.add([entry]);
    } else if ('result' in content) stated = content.result;
    else problems.push(`line ${number}: neither header, entry nor result`);
  }
  if (!header || !poll)
    return { problems: [...problems, 'there is no header'], poll: '', round: 0, entries, hash, outcome: undefined };
  if (stated === undefined) problems.push('the result is missing: the bundle is not whole');
  const outcome = outcomeOf(poll, recounts);
  if (stated !== undefined && !isSame(stated, outcome))
    problems.push('the result told is not the one that the log gives');
  problems.push(...outcome.problems);
  return { problems: problems.slice(0, MAX_TOLD), poll: header.poll, round: header.round, entries, hash, outcome };
}

/** What follows from the log of a round. */
function outcomeOf(poll: Poll, recounts: readonly Recount[]) {
  const slices = recounts.map(({ slice }) => slice);
  const present = slices.filter((slice) => slice !== undefined);
  const accounting = sumAccounting(present.map((slice) => slice.accounting));
  const tally: Tally = merge(present.map((slice) => slice.tally));
  const problems: string[] = [];
  for (const [partition, slice] of slices.entries()) {
    if (!slice) problems.push(`partition ${partition}: the opening is not in the log`);
    else if (slice.open) problems.push(`partition ${partition}: the close is not in the log`);
  }
  if (!balances(accounting)) problems.push('the accounting does not balance');
  const figures = figuresOf(poll, tally, true, poll.closedAtMs ?? 0);
  return { accounting, tally: Object.fromEntries([...tally].sort(([a], [b]) => (a < b ? -1 : 1))), figures, problems };
}

function headerProblems({ poll, definition, record: { seed, lot } }: Header): string[] {
  const problems: string[] = [];
  if (poll !== definition.poll) problems.push(`tells of poll ${poll}, and defines ${definition.poll}`);
  const keys = definition.options.map(({ key }) => key);
  const isDrawn = seed !== undefined && isSame(lot ?? null, drawLot(seed, keys));
  if (lot !== undefined && !isDrawn) problems.push('the lot is not what its seed gives');
  return problems;
}

/** What a marker tells of its round is what the bundle tells, but for what may change later. */
function markerProblems(entry: Entry, poll: Poll): string[] {
  if (entry.type === 'votes') return [];
  const { definition, openedAtMs, closesAtMs, electorate, presentAtOpen, seed, lot } = poll;
  const { stoppedAtMs, closedAtMs, presentAtClose } = poll;
  const opening: RoundRecord = { openedAtMs, closesAtMs, electorate, presentAtOpen, seed, lot };
  const told = entry.type === 'open' ? opening : { ...opening, stoppedAtMs, closedAtMs, presentAtClose };
  const problems: string[] = [];
  if (entry.record && !isSame(pick(entry.record, Object.keys(told)), told)) {
    problems.push(`the ${entry.type} marker tells another record than the bundle`);
  }
  const fixed = (of: Definition) => ({ ...of, ...Object.fromEntries(MUTABLE.map((field) => [field, undefined])) });
  if (entry.type === 'open' && !isSame(fixed(entry.definition), fixed(definition))) {
    problems.push('the round was opened with another definition than the bundle tells');
  }
  return problems;
}

function pick(record: RoundRecord, fields: readonly string[]): RoundRecord {
  return Object.fromEntries(Object.entries(record).filter(([field]) => fields.includes(field)));
}

/** Where entries and voters were seen: entries one behind the other, each voter in one partition. */
class Places {
  private readonly last = new Map<number, Offset>();
  private readonly homes = new Map<string, number>();

  problems(entry: Entry, partition: number, offset: Offset, { definition, round }: Poll, partitions: number): string[] {
    const problems: string[] = [];
    if (!(Number.isInteger(partition) && partition >= 0 && partition < partitions)) {
      problems.push(`there is no partition ${partition}`);
    }
    const before = this.last.get(partition);
    if (before !== undefined && compareOffsets(offset, before) <= 0) {
      problems.push('the entry is not behind the one before it');
    }
    this.last.set(partition, offset);
    for (const part of entry.type === 'votes' ? entry.rounds : [{ ...entry, votes: [] }]) {
      if (part.poll !== definition.poll || part.round !== round) problems.push('the entry is about another round');
      for (const { device } of part.votes) {
        if ((this.homes.get(device) ?? partition) !== partition) problems.push(`${device} votes in two partitions`);
        this.homes.set(device, partition);
      }
    }
    return problems;
  }
}

function parsed(text: string, number: number, problems: string[]): (Content & { hash: string }) | undefined {
  try {
    return JSON.parse(text);
  } catch {
    problems.push(`line ${number}: not JSON`);
    return undefined;
  }
}

/** The same as JSON: what is undefined is not there. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
}

function hashOf(before: string, content: Content): string {
  return createHash('sha256')
    .update(`${before}\n${JSON.stringify(content)}`)
    .digest('hex');
}
