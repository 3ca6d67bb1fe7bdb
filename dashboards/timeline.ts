import type { Store } from '../core/store/store.ts';
import { roundKey } from '../core/voting/slice.ts';
import type { Choice } from '../core/voting/tally.ts';
import { scanLog } from './log-scan.ts';

/** Seconds a timeline covers at most; of a longer round the newest are kept. */
const MAX_SECONDS = 86_400;

type Timeline = Awaited<ReturnType<typeof timeline>>;

/** Reads timelines, one reading at a time for each round: who asks meanwhile gets the same answer. */
export class Timelines {
  private readonly store: Store;
  private readonly reading = new Map<string, Promise<Timeline>>();

  constructor(store: Store) {
    this.store = store;
  }

  read(poll: string, round: number): Promise<Timeline> {
    const key = roundKey(poll, round);
    const under = this.reading.get(key);
    if (under) return under;
    const reading = timeline(this.store, poll, round).finally(() => this.reading.delete(key));
    this.reading.set(key, reading);
    return reading;
  }
}

/** Votes of a round per second, by choice, read from the log: what came in, before anything was replaced. */
async function timeline(store: Store, poll: string, round: number) {
  const seconds = new Map<number, Map<Choice, number>>();
  for (let partition = 0; partition < store.log.partitions; partition++) {
    for await (const { entry } of scanLog(store, partition)) {
      if (entry.type !== 'votes') continue;
      const second = Math.floor(entry.atMs / 1000);
      for (const part of entry.rounds) {
        if (part.poll === poll && part.round === round) count(seconds, second, part.votes);
      }
    }
  }
  const newest = [...seconds].sort(([a], [b]) => a - b).slice(-MAX_SECONDS);
  return {
    points: newest.map(([second, choices]) => ({
      at: new Date(second * 1000).toISOString(),
      votes: Object.fromEntries(choices),
    })),
  };
}

function count(seconds: Map<number, Map<Choice, number>>, second: number, votes: readonly { choice: Choice }[]): void {
  if (votes.length === 0) return;
  const choices = seconds.get(second) ?? new Map<Choice, number>();
  seconds.set(second, choices);
  for (const { choice } of votes) choices.set(choice, (choices.get(choice) ?? 0) + 1);
}
