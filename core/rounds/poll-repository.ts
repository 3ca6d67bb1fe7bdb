import type { PollBook } from '../live/poll-book.ts';
import { Refusal } from '../runtime/refusal.ts';
import type { Registry } from '../store/store.ts';
import type { Definition, Draft } from '../voting/kinds/definition.ts';
import { checkDefinition } from '../voting/poll/check.ts';
import { withoutGaps } from '../voting/poll/definition.ts';
import { type Poll, versionOf } from '../voting/poll/poll.ts';

/** Throws if the caller may not change this poll, as it is stored. */
export type Permit = (stored: Poll) => void;

/** Lets everybody change every poll. */
export const ANYBODY: Permit = () => {};

/**
 * Stores polls. Nothing else writes poll documents. Every change is a compare-and-set, so that processes never overwrite each
 * other’s changes. Once a call resolves, this process’s `PollBook` includes the change.
 */
export class PollRepository {
  private readonly registry: Registry;
  private readonly polls: PollBook;

  constructor(registry: Registry, polls: PollBook) {
    this.registry = registry;
    this.polls = polls;
  }

  /** The stored poll with this id. @throws Refusal no-such-poll */
  async read(id: string): Promise<Poll> {
    const found = await this.registry.get<Poll>('polls', id);
    if (found && !found.value.deleted) return found.value;
    throw noSuchPoll(id);
  }

  /**
   * Creates a draft. Its round numbers continue after those of a deleted poll with the same id, so that old ballots never count
   * again.
   *
   * @param options `rehearsalOf` is stored with the poll; `replaces` decides whether an existing poll may be overwritten
   * @throws Refusal poll-exists
   */
  async create(
    written: Draft,
    { rehearsalOf, replaces = () => false }: { rehearsalOf?: string; replaces?: (existing: Poll) => boolean } = {},
  ): Promise<Poll> {
    // Without defaults, so that they follow when the kind or another setting is changed.
    const draft = withoutGaps(written);
    const definition = validDefinition(draft);
    const { poll: id } = definition;
    const before = await this.registry.get<Poll>('polls', id);
    const retiredRounds = Math.max(before?.value.round ?? 0, before?.value.retiredRounds ?? 0);
    const poll: Poll = {
      definition,
      draft,
      status: 'draft',
      round: 0,
      retiredRounds,
      createdAtMs: Date.now(),
      // Nobody must mistake the new poll for a deleted one with the same id.
      version: before ? versionOf(before.value) + 1 : 1,
      ...(rehearsalOf === undefined ? {} : { rehearsalOf }),
    };
    const isFree = !before || before.value.deleted || replaces(before.value);
    if (!isFree || !(await this.registry.put('polls', id, poll, before?.version ?? 0))) {
      throw new Refusal(
        'poll-exists',
        `a poll with the id ${id} already exists; choose another id, or change that poll`,
      );
    }
    await this.polls.refresh(id);
    return poll;
  }

  /**
   * Changes a poll. If it is written concurrently, the step is repeated on the new state.
   *
   * @param step returns the next state of the poll, or undefined to leave it unchanged
   * @returns what the step returned
   * @throws Refusal no-such-poll, or what the step throws
   */
  async change<Next extends Poll | undefined>(id: string, step: (now: Poll) => Next | Promise<Next>): Promise<Next> {
    for (;;) {
      const found = await this.registry.get<Poll>('polls', id);
      if (!found || found.value.deleted) throw noSuchPoll(id);
      const next = await step(found.value);
      if (next && !(await this.registry.put('polls', id, next, found.version))) continue;
      await this.polls.refresh(id);
      return next;
    }
  }
}

/**
 * The checked definition of a draft.
 *
 * @param opened the definition under which the poll was opened; what was accepted then cannot be changed any more
 * @throws Refusal bad-definition, listing every problem
 */
export function validDefinition(draft: Draft, opened?: Definition): Definition {
  const { definition, problems: all } = checkDefinition(draft);
  const accepted = opened ? checkDefinition(opened).problems : [];
  const problems = all.filter((problem) => !accepted.includes(problem));
  if (problems.length === 0) return definition;
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  throw new Refusal('bad-definition', `this poll cannot be used: ${count}`, problems);
}

export function noSuchPoll(id: string): Refusal {
  return new Refusal('no-such-poll', `there is no poll ${JSON.stringify(id)}`);
}
