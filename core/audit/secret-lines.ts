import { readEntry } from '../voting/count/entries/codec.ts';
import { Replay } from '../voting/count/replay.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { type Apart, type Count, countOf, type SecretBallot } from './format.ts';
import { Markers } from './markers.ts';
import { SecretCount } from './secret-ballots.ts';

/** The markers of a secret round’s bundle stand for those of all partitions. */
const ALL = 0;

/** Checks the lines between the header and the result of a secret round’s bundle, and counts them. */
export class SecretLines {
  private readonly poll: Poll;
  private readonly markers = new Markers();
  private readonly replay: Replay;
  private readonly ballots = new SecretCount();

  constructor(poll: Poll) {
    this.poll = poll;
    this.replay = new Replay(poll.definition.poll, poll.round);
  }

  /** @returns problems; undefined if a bundle has no such line between header and result */
  take(content: object): string[] | undefined {
    if ('ballot' in content && isBallot(content.ballot)) {
      return [...this.ballots.add(content.ballot), ...(this.replay.slice?.open ? [] : ['not between the markers'])];
    }
    if ('apart' in content && isApart(content.apart)) {
      this.ballots.close(content.apart);
      return [];
    }
    if ('entry' in content && typeof content.entry === 'string') return this.marker(content.entry);
    return undefined;
  }

  get count(): Count {
    const { count } = this.ballots;
    const problems = countOf(this.poll, [this.replay]).problems.map((problem) => problem.replace('partition 0: ', ''));
    return { ...count, problems: [...count.problems, ...problems] };
  }

  private marker(text: string): string[] {
    const entry = readEntry(text);
    if (entry.type !== 'open' && entry.type !== 'close') return ['expected a marker, because the round is secret'];
    const { definition, round } = this.poll;
    const isOurs = entry.poll === definition.poll && entry.round === round;
    this.replay.add([entry]);
    return [...this.markers.problems(entry, ALL, this.poll), ...(isOurs ? [] : ['the entry belongs to another round'])];
  }
}

function isBallot(value: unknown): value is SecretBallot {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}

function isApart(value: unknown): value is Apart {
  const { replaced, redelivered, rejected, problems } = (value ?? {}) as Partial<Record<keyof Apart, unknown>>;
  return isCount(replaced) && isCount(redelivered) && isCounts(rejected) && Array.isArray(problems);
}

function isCounts(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isCount);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
