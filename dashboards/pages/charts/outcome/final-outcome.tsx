import type { Result } from '../../../../core/voting/result/result.ts';
import { undecidedIn } from '../../../../core/voting/result/undecided.ts';
import { formatList, say } from '../../words/language.ts';
import { labelIn } from '../drawing.ts';
import { VerdictOutcome } from './verdict.tsx';

/**
 * The outcome of a poll, once its result is final: whether it was adopted, and how ties were decided. If votes may be missing,
 * it says so instead, because the result never becomes final.
 */
export function FinalOutcome({ result }: { result: Result }) {
  if (result.missing) {
    return (
      <p class="outcome" data-adopted="unknown" role="alert">
        {say('outcome.missing')}
      </p>
    );
  }
  if (result.hidden || !result.final) return null;
  const notes = outcomeNotes(result);
  return (
    <>
      {result.verdict && <VerdictOutcome verdict={result.verdict} />}
      {notes.length > 0 && (
        <p class="outcome" data-adopted="unknown">
          {notes.join(' ')}
        </p>
      )}
    </>
  );
}

/** Sentences about ties and withdrawn options in a final result. */
export function outcomeNotes(result: Result): string[] {
  if (result.hidden || !result.final) return [];
  const name = (keys: readonly string[]) => formatList(keys.map((key) => labelIn(result, key)));
  const { tied = [], tieBrokenBy, withdrawals = [] } = result;
  const undecided = undecidedIn(result);
  return [
    ...(undecided.length > 0 ? [say('outcome.undecided', { names: name(undecided) })] : []),
    ...(tieBrokenBy && tied.length > 0 ? [say(`outcome.by.${tieBrokenBy}`, { names: name(tied) })] : []),
    ...(withdrawals.length > 0
      ? [say('outcome.withdrawn', { names: name(withdrawals.map(({ option }) => option)) })]
      : []),
  ];
}
