import type { LiveResults } from '../live/results.ts';
import type { Log } from '../runtime/log.ts';
import { Refusal } from '../runtime/refusal.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { undecidedIn } from '../voting/result/undecided.ts';
import type { RoundRecord } from '../voting/rules/record.ts';
import { ANYBODY, type Permit, type PollRepository } from './poll-repository.ts';

interface DecisionsParts {
  readonly repository: PollRepository;
  readonly results: LiveResults;
  readonly log: Log;
}

/**
 * Decisions that people take about a round after it was counted. They become part of the round’s record, so that its result,
 * its recounts and its audit bundle follow from the log and the record.
 */
export class Decisions {
  private readonly parts: DecisionsParts;

  constructor(parts: DecisionsParts) {
    this.parts = parts;
  }

  /**
   * Records a lot that was drawn because nothing else decided between options.
   *
   * @param order the keys of the options that are level in the final result, in the order drawn
   * @throws Refusal no-such-poll, not-final, nothing-to-draw, bad-lot, and what `permit` throws
   */
  async enterLot(id: string, order: readonly string[], permit = ANYBODY): Promise<Poll> {
    const { results } = this.parts;
    return this.decide(id, 'a lot was entered', permit, async (now) => {
      const level = undecidedIn(await results.result(now));
      if (level.length === 0) {
        throw new Refusal(
          'nothing-to-draw',
          `round ${now.round} of poll ${id} is decided; there is no tie to draw a lot for`,
        );
      }
      const isComplete = order.length === level.length && level.every((key) => order.includes(key));
      if (!isComplete) {
        const why = `the lot must be drawn between ${level.join(', ')}: list each of them once, in the order drawn, not ${order.join(', ') || 'nothing'}`;
        throw new Refusal('bad-lot', why);
      }
      return { draws: [...(now.draws ?? []), { order: [...order], atMs: Date.now() }] };
    });
  }

  /**
   * Records that an option was withdrawn after voting, such as a candidate who declines. It keeps its figures, but cannot win.
   *
   * @throws Refusal no-such-poll, not-final, no-such-option, already-withdrawn, and what `permit` throws
   */
  async withdrawOption(id: string, option: string, permit = ANYBODY): Promise<Poll> {
    return this.decide(id, 'an option was withdrawn', permit, async ({ definition, withdrawals = [] }) => {
      const keys = definition.options.map(({ key }) => key);
      if (!keys.includes(option)) {
        throw new Refusal('no-such-option', `poll ${id} has the options ${keys.join(', ')}, not ${option}`);
      }
      if (withdrawals.some((one) => one.option === option)) {
        throw new Refusal('already-withdrawn', `option ${option} of poll ${id} was already withdrawn`);
      }
      return { withdrawals: [...withdrawals, { option, atMs: Date.now() }] };
    });
  }

  private async decide(
    id: string,
    what: string,
    permit: Permit,
    step: (now: Poll) => Promise<RoundRecord>,
  ): Promise<Poll> {
    const { repository, results, log } = this.parts;
    const poll = await repository.change(id, async (now) => {
      permit(now);
      const isFinal = now.status === 'closed' && (await results.result(now)).final;
      if (!isFinal) {
        const why = `round ${now.round} of poll ${id} is not final yet; close the poll and try again in a moment`;
        throw new Refusal('not-final', why);
      }
      return { ...now, ...(await step(now)) };
    });
    log.info({ poll: id, round: poll.round, draws: poll.draws, withdrawals: poll.withdrawals }, what);
    return poll;
  }
}
