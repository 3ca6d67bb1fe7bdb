import type { Bundle } from '../../count/cast.ts';
import { sumBundles } from '../../count/cast.ts';
import { comparableAnswer } from '../choices/phrase.ts';
import type { Definition } from '../definition.ts';
import { ratio } from '../figures/option-result.ts';

/**
 * What an answer is worth, from 0 to 1. `strict`: all or nothing · `balanced`: the share of right options that were chosen,
 * minus the share of wrong options that were chosen, but at least 0 · `per-option`: the share of options judged correctly,
 * whether chosen or not; for an ordering, the share of options in the right place.
 */
export function creditOf(choice: string, definition: Definition<'quiz'>): number {
  const { question, credit, correct = [], options } = definition;
  if (question === 'short') return isAccepted(choice, definition) ? 1 : 0;
  if (question === 'ordering') {
    const places = choice.split('>').filter((key, place) => correct[place] === key).length;
    return credit === 'per-option' ? ratio(places, correct.length) : Number(places === correct.length);
  }
  const chosen = choice.split(',');
  const right = chosen.filter((key) => correct.includes(key)).length;
  const wrong = chosen.length - right;
  if (credit === 'balanced') {
    const wrongOptions = options.length - correct.length;
    return Math.max(0, ratio(right, correct.length) - ratio(wrong, wrongOptions));
  }
  if (credit === 'per-option') return ratio(options.length - wrong - (correct.length - right), options.length);
  return Number(right === correct.length && wrong === 0);
}

const acceptedAnswers = new WeakMap<Definition<'quiz'>, ReadonlySet<string>>();

/** True if a short answer in its normal form is one of the accepted answers. */
export function isAccepted(answer: string, definition: Definition<'quiz'>): boolean {
  const { accept = [], ignoreDiacritics = false } = definition;
  const comparable = (text: string) => comparableAnswer(text, ignoreDiacritics);
  const accepted = acceptedAnswers.get(definition) ?? new Set(accept.map(comparable));
  acceptedAnswers.set(definition, accepted);
  return accepted.has(comparable(answer));
}

/** The mean credit of all ballots; null if there are none. */
export function meanCreditOf(definition: Definition<'quiz'>, bundles: readonly Bundle[]): number | null {
  const { heads } = sumBundles(bundles);
  if (heads === 0) return null;
  // Sorted, because floating-point sums depend on the order, and stores return ballots in different orders.
  const sorted = bundles.toSorted((a, b) => (a.choice < b.choice ? -1 : 1));
  return sorted.reduce((sum, bundle) => sum + creditOf(bundle.choice, definition) * bundle.heads, 0) / heads;
}
