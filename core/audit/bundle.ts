import { compareOffsets, type Offset } from '../store/offset.ts';
import { readEntry } from '../voting/count/entries/codec.ts';
import type { Entry } from '../voting/count/entry.ts';
import { Replay } from '../voting/count/replay.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { type Content, countOf, FORMAT, type Header, hashOf, outcomeOf, type Unreadable, VERSION } from './format.ts';
import { drawLot } from './lot.ts';
import { Markers } from './markers.ts';
import { isSame } from './same.ts';
import { SecretLines } from './secret-lines.ts';
import type { AuditRecord } from './trail/fact.ts';
import { isIntact } from './trail/record.ts';

/** The maximum number of problems that a report lists. */
const MAX_PROBLEMS = 20;

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
  let secret: SecretLines | undefined;
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
      if (header.format !== FORMAT || !Object.values<number>(VERSION).includes(header.version)) {
        const known = Object.values(VERSION).join(' or ');
        problems.push(`line ${number}: not a ${FORMAT} of version ${known}`);
        break;
      }
      const { definition, record, round, partitions } = header;
      poll = { definition, status: 'closed', round, createdAtMs: 0, ...record };
      problems.push(...headerProblems(header).map((problem) => `line ${number}: ${problem}`));
      recounts = Array.from({ length: partitions }, () => new Replay(definition.poll, round));
      if (hasBallots(header)) secret = new SecretLines(poll);
    } else if ('record' in content && poll) {
      const { record } = content as { record: AuditRecord | null };
      if (!record || !isIntact(record))
        problems.push(`line ${number}: the record of an action does not have the hash that it states`);
    } else if (secret && !('result' in content)) {
      entries++;
      const found = secret.take(content) ?? ['expected markers, ballots and what became of other votes'];
      problems.push(...found.map((problem) => `line ${number}: ${problem}`));
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
  const outcome = outcomeOf(poll, secret?.count ?? countOf(poll, recounts));
  if (stated !== undefined && !isSame(stated, outcome))
    problems.push('the stated result differs from the recount of the log');
  problems.push(...outcome.problems);
  return { problems: problems.slice(0, MAX_PROBLEMS), poll: header.poll, round: header.round, entries, hash, outcome };
}

/** True if a bundle has the ballots of a secret round instead of its log. Before version 2, none had. */
function hasBallots({ version, definition }: Header): boolean {
  return version !== VERSION.log && definition.secrecy === 'secret';
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
