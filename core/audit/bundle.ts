import { createHash } from 'node:crypto';
import { compareOffsets, type Offset } from '../store/offset.ts';
import { balances, sumAccounting } from '../voting/count/accounting.ts';
import { readEntry } from '../voting/count/entries/codec.ts';
import { entryText } from '../voting/count/entries/json.ts';
import type { Entry, UnreadableEntry } from '../voting/count/entry.ts';
import { entryOfRound, Replay } from '../voting/count/replay.ts';
import { merge, type Tally } from '../voting/count/tally.ts';
import type { Definition } from '../voting/kinds/definition.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { figuresOf, interruptionsOf } from '../voting/result/result.ts';
import { type RoundRecord, recordOf } from '../voting/rules/record.ts';
import { drawLot } from './lot.ts';
import { Markers } from './markers.ts';
import { isSame } from './same.ts';

/**
 * An audit bundle: everything needed to reproduce the result of a finished round, as JSON lines. The first line describes the
 * round, the last one holds the result, and the lines in between are the entries of its vote log. Each line contains the
 * SHA-256 of the previous hash and its own content, so anyone who knows the last hash can detect changed, removed or inserted
 * lines.
 */
const FORMAT = 'pollcast audit bundle';
const VERSION = 1;
/** The maximum number of problems that a report lists. */
const MAX_PROBLEMS = 20;

interface Header {
  readonly format: typeof FORMAT;
  readonly version: number;
  readonly poll: string;
  readonly round: number;
  readonly partitions: number;
  readonly definition: Definition;
  readonly record: RoundRecord;
}

/** An entry of the log that could not be read while the round was open. Not its text: it may hold votes of other rounds. */
interface Unreadable {
  readonly why: string;
  readonly bytes: number;
  readonly sha256: string;
}

type Content =
  | { readonly header: Header }
  | { readonly partition: number; readonly offset: string; readonly entry: string }
  | { readonly partition: number; readonly offset: string; readonly unreadable: Unreadable }
  | { readonly result: unknown };

/** Produces the lines of a bundle, in order. */
export class BundleWriter {
  private readonly poll: Poll;
  private readonly recounts: readonly Replay[];
  private hash = '';

  constructor(poll: Poll, partitions: number) {
    this.poll = poll;
    const { definition, round } = poll;
    this.recounts = Array.from({ length: partitions }, () => new Replay(definition.poll, round));
  }

  header(): string {
    const { definition, round } = this.poll;
    const { poll } = definition;
    const partitions = this.recounts.length;
    const record = recordOf(this.poll);
    return this.line({ header: { format: FORMAT, version: VERSION, poll, round, partitions, definition, record } });
  }

  /** The line for a log entry; empty if the entry does not belong to the round. */
  entry(partition: number, offset: string, entry: Entry): string {
    const { definition, round } = this.poll;
    const ours = entryOfRound(entry, definition.poll, round);
    if (!ours || (ours.type === 'votes' && ours.rounds.length === 0)) return '';
    this.recounts[partition]?.add([ours]);
    return this.line({ partition, offset, entry: entryText(ours) });
  }

  /** The line for an entry that cannot be read; empty if no vote of the round can have been in it. */
  unreadable(partition: number, offset: string, entry: UnreadableEntry): string {
    const replay = this.recounts[partition];
    if (!replay?.slice?.open) return '';
    replay.add([entry]);
    const { why, content } = entry;
    const sha256 = createHash('sha256').update(content).digest('hex');
    return this.line({ partition, offset, unreadable: { why, bytes: Buffer.byteLength(content), sha256 } });
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
  /** The problems found; empty if the bundle is consistent. */
  readonly problems: readonly string[];
  readonly poll: string;
  readonly round: number;
  readonly entries: number;
  /** The hash of the last line, to be compared with the published hash. */
  readonly hash: string;
  readonly outcome: ReturnType<typeof outcomeOf> | undefined;
}

/** Verifies a bundle without a server: checks its hash chain, and that a recount of its log gives the stated result. */
export async function verifyBundle(lines: AsyncIterable<string>): Promise<BundleReport> {
  const problems: string[] = [];
  let [header, poll, stated]: [Header | undefined, Poll | undefined, unknown] = [undefined, undefined, undefined];
  let recounts: Replay[] = [];
  let [hash, number, entries] = ['', 0, 0];
  const places = new Places();
  const markers = new Markers();
  for await (const text of lines) {
    number++;
    if (text === '') continue;
    const { hash: statedHash, ...content } = parsed(text, number, problems) ?? {};
    hash = hashOf(hash, content as Content);
    if (statedHash !== hash) {
      problems.push(
        `line ${number}: the hash does not match: this line or an earlier one was changed, removed or inserted`,
      );
      break;
    }
    if (stated !== undefined) problems.push(`line ${number}: unexpected line after the result`);
    else if ('header' in content && !header) {
      header = content.header as Header;
      if (header.format !== FORMAT || header.version !== VERSION) {
        problems.push(`line ${number}: not a ${FORMAT} of version ${VERSION}`);
        break;
      }
      const { definition, record, round, partitions } = header;
      poll = { definition, status: 'closed', round, createdAtMs: 0, ...record };
      problems.push(...headerProblems(header).map((problem) => `line ${number}: ${problem}`));
      recounts = Array.from({ length: partitions }, () => new Replay(definition.poll, round));
    } else if ('entry' in content && poll) {
      const { partition, offset, entry: wire } = content as { partition: number; offset: string; entry: string };
      const entry = readEntry(wire);
      entries++;
      if (entry.type === 'newer' || entry.type === 'unreadable') {
        problems.push(`line ${number}: not an entry that this version can read`);
        continue;
      }
      const found = [
        ...markers.problems(entry, partition, poll),
        ...places.problems(entry, partition, offset, poll, recounts.length),
      ];
      problems.push(...found.map((problem) => `line ${number}: ${problem}`));
      recounts[partition]?.add([entry]);
    } else if ('unreadable' in content && poll) {
      const { partition, offset, unreadable } = content as {
        partition: number;
        offset: string;
        unreadable: Unreadable;
      };
      entries++;
      const found = places.order(partition, offset, recounts.length);
      problems.push(...found.map((problem) => `line ${number}: ${problem}`));
      recounts[partition]?.add([{ type: 'unreadable', why: unreadable.why, content: '' }]);
    } else if ('result' in content) stated = content.result;
    else problems.push(`line ${number}: expected one header, then entries, then the result`);
  }
  if (!header || !poll)
    return { problems: [...problems, 'the header is missing'], poll: '', round: 0, entries, hash, outcome: undefined };
  if (stated === undefined) problems.push('the result is missing: the bundle is incomplete');
  const outcome = outcomeOf(poll, recounts);
  if (stated !== undefined && !isSame(stated, outcome))
    problems.push('the stated result differs from the recount of the log');
  problems.push(...outcome.problems);
  return { problems: problems.slice(0, MAX_PROBLEMS), poll: header.poll, round: header.round, entries, hash, outcome };
}

/** The outcome of a round, derived from its log. */
function outcomeOf(poll: Poll, recounts: readonly Replay[]) {
  const slices = recounts.map(({ slice }) => slice);
  const present = slices.filter((slice) => slice !== undefined);
  const accounting = sumAccounting(present.map((slice) => slice.accounting));
  const tally: Tally = merge(present.map((slice) => slice.tally));
  const problems: string[] = [];
  for (const [partition, slice] of slices.entries()) {
    if (slice?.missing) {
      const were = slice.missing === 1 ? '1 log entry' : `${slice.missing} log entries`;
      problems.push(`partition ${partition}: ${were} could not be read, so votes may be missing`);
    }
    if (!slice) problems.push(`partition ${partition}: the open marker is missing from the log`);
    else if (slice.open) problems.push(`partition ${partition}: the close marker is missing from the log`);
    else if ((slice.interruptions ?? 0) !== (poll.interruptions?.length ?? 0))
      problems.push(`partition ${partition}: the markers of an interruption are missing from the log`);
  }
  if (!balances(accounting)) problems.push('the accounting does not balance');
  const figures = figuresOf(poll, tally, true, poll.closedAtMs ?? 0);
  const pauses = interruptionsOf(poll);
  return {
    accounting,
    ...pauses,
    tally: Object.fromEntries([...tally].sort(([a], [b]) => (a < b ? -1 : 1))),
    figures,
    problems,
  };
}

function headerProblems({ poll, definition, record }: Header): string[] {
  const { seed, lot, draws = [], withdrawals = [] } = record;
  const problems: string[] = [];
  if (poll !== definition.poll) problems.push(`the header names poll ${poll} but defines poll ${definition.poll}`);
  const keys = definition.options.map(({ key }) => key);
  const isDrawn = seed !== undefined && isSame(lot ?? null, drawLot(seed, keys));
  if (lot !== undefined && !isDrawn) problems.push('the drawn lot does not match its seed');
  const named = [...draws.flatMap(({ order }) => order), ...withdrawals.map(({ option }) => option)];
  const unknown = named.filter((key) => !keys.includes(key));
  if (unknown.length > 0) problems.push(`the record names options that the poll does not have: ${unknown.join(', ')}`);
  return problems;
}

/** Checks that the entries of each partition are in order, and that each voter votes in only one partition. */
class Places {
  private readonly last = new Map<number, Offset>();
  private readonly homes = new Map<string, number>();

  problems(entry: Entry, partition: number, offset: Offset, { definition, round }: Poll, partitions: number): string[] {
    const problems = this.order(partition, offset, partitions);
    for (const part of entry.type === 'votes' ? entry.rounds : [{ ...entry, votes: undefined }]) {
      if (part.poll !== definition.poll || part.round !== round) problems.push('the entry belongs to another round');
      for (const device of part.votes?.voters ?? []) {
        if ((this.homes.get(device) ?? partition) !== partition) problems.push(`${device} votes in two partitions`);
        this.homes.set(device, partition);
      }
    }
    return problems;
  }

  order(partition: number, offset: Offset, partitions: number): string[] {
    const problems: string[] = [];
    if (!(Number.isInteger(partition) && partition >= 0 && partition < partitions)) {
      problems.push(`there is no partition ${partition}`);
    }
    const before = this.last.get(partition);
    if (before !== undefined && compareOffsets(offset, before) <= 0) {
      problems.push('out of order: the offset is not higher than that of the previous entry');
    }
    this.last.set(partition, offset);
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

function hashOf(before: string, content: Content): string {
  return createHash('sha256')
    .update(`${before}\n${JSON.stringify(content)}`)
    .digest('hex');
}
