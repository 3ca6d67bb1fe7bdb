import type { LiveResults } from '../../live/results.ts';
import type { Log } from '../../runtime/log.ts';
import { Refusal } from '../../runtime/refusal.ts';
import type { Series } from '../../store/series/series.ts';
import type { Store } from '../../store/store.ts';
import { type Poll, stretchKey } from '../../voting/poll/poll.ts';
import type { PollRepository } from '../poll-repository.ts';
import { recount } from './recount.ts';

interface RecounterParts {
  readonly store: Store;
  readonly results: LiveResults;
  readonly repository: PollRepository;
  /** Called with the outcome of each recount. */
  readonly onOutcome: (agrees: boolean) => void;
  readonly log: Log;
}

interface Limits {
  /** If given, the time series is compared too. */
  readonly series?: Series | undefined;
  readonly signal?: AbortSignal;
  readonly maxEntries?: number;
}

/** Recounts rounds, stores the outcome of final ones with their poll, and raises the alarm if a count is wrong. */
export class Recounter {
  private readonly parts: RecounterParts;
  private readonly log: Log;

  constructor(parts: RecounterParts) {
    this.parts = parts;
    this.log = parts.log.child({ part: 'recounts' });
  }

  /**
   * Recounts a round. A difference is believed only if a second recount, which reads everything again from the beginning, finds
   * one too: what is said to the public must not depend on what was read at a bad moment. @throws LogTooLong, Refusal
   * log-removed
   */
  async count(poll: Poll, limits: Limits = {}) {
    const { store, results, onOutcome } = this.parts;
    const read = () => recount({ store, poll, served: () => results.result(poll), ...limits });
    const first = await read();
    const found = first.agrees ? first : await read();
    const { agrees, differences } = found;
    onOutcome(agrees);
    if (!agrees) {
      const { poll: id } = poll.definition;
      this.log.error({ poll: id, round: poll.round, differences }, 'two recounts found that the count is wrong');
    }
    if ((await results.result(poll)).final) await this.keep(poll, agrees);
    return found;
  }

  /** Records that entries of a closed round could not be read. @param missing how many */
  async note(poll: Poll, missing: number): Promise<void> {
    if (poll.missing === missing) return;
    await this.store(poll, (now) => (now.missing === missing ? undefined : { ...now, missing }));
  }

  private async keep(poll: Poll, agrees: boolean): Promise<void> {
    await this.store(poll, (now) => ({ ...now, recount: { round: poll.round, agrees, atMs: Date.now() } }));
  }

  /** Stores something with a closed poll, unless the round went on, a new one has begun, or the poll has been deleted. */
  private async store(poll: Poll, step: (now: Poll) => Poll | undefined): Promise<void> {
    try {
      await this.parts.repository.change(poll.definition.poll, (now) =>
        stretchKey(now) === stretchKey(poll) && now.status === 'closed' ? step(now) : undefined,
      );
    } catch (error) {
      if (!(error instanceof Refusal && error.code === 'no-such-poll')) throw error;
    }
  }
}
