import type { Draft } from '../../core/voting/kinds/definition.ts';
import { kindOf } from '../../core/voting/kinds/index.ts';
import { withDefaults } from '../../core/voting/poll/definition.ts';
import { isUnpublished, type Poll } from '../../core/voting/poll/poll.ts';

/** A copy stays open for this many ms after the voting time. The simulator is stopped before then. */
const SPARE_MS = 180_000;

/**
 * Copies a poll for a rehearsal: the same question, but open to anybody, without a schedule or a room, and with named ballots,
 * so that each can be compared with what its device sent. Only operators see its results, because the copy becomes final, and
 * shows the right answer, before the original is asked. If nobody closes the copy, it closes automatically. If the original has
 * not been asked yet, the copy does not reveal its question.
 */
export function rehearsalCopy(original: Poll, poll: string, seconds: number): Draft {
  const { room, opensAt, closesAt, lateGraceMs, speed, eligible, entitled, weighted, byGroup, ...rest }: Draft =
    original.draft ?? original.definition;
  const { majority, quorum, secrecy, minGroup, seed, ...asked } = rest;
  const durationMs = seconds * 1_000 + SPARE_MS;
  const copy: Draft = { ...asked, poll, durationMs, visibility: 'operator' };
  return isUnpublished(original) ? masked(copy) : copy;
}

/** The same kind of question with neutral labels. Keys that the author chose are replaced too, because they may be words. */
function masked({ options = [], items, correct, unit, ...draft }: Draft): Draft {
  const definition = withDefaults(draft);
  const isLabelled = kindOf(definition).options?.(definition) === 'labels';
  const keys = new Map(options.map(({ key }, i) => [key, isLabelled ? key : `o${i + 1}`]));
  const named = options.map(({ key }) => keys.get(key) ?? key).map((key) => ({ key, label: key }));
  return {
    ...draft,
    title: 'A rehearsal',
    options: named,
    ...(items ? { items: items.map((_, i) => ({ key: `i${i + 1}`, label: `i${i + 1}` })) } : {}),
    ...(correct ? { correct: correct.map((key) => keys.get(key) ?? key) } : {}),
  };
}
