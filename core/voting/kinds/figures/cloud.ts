import { type Bundle, sumBundles } from '../../count/cast.ts';
import { bare } from '../choices/phrase.ts';
import { Count } from './count.ts';
import type { OptionFigures } from './option-result.ts';

/** The maximum number of phrases listed in a result. */
const MAX_SHOWN = 100;

interface CloudSettings {
  readonly weighted?: boolean;
  readonly moderation?: {
    readonly hide?: readonly string[];
    readonly merge?: Readonly<Record<string, string>>;
  };
}

/** The number of voters who sent each phrase, most frequent phrase first. */
export function cloudOf(
  definition: CloudSettings,
  bundles: readonly Bundle[],
): OptionFigures & { readonly phrases: number } {
  const { hide = [], merge = {} } = definition.moderation ?? {};
  const hidden = new Set(hide.map(bare));
  const count = new Count();
  for (const { choice, heads, weight } of bundles) {
    // Phrases that were merged count once per voter.
    const phrases = new Set(choice.split(',').map((phrase) => (Object.hasOwn(merge, phrase) ? merge[phrase] : phrase)));
    for (const phrase of phrases) if (phrase && !hidden.has(bare(phrase))) count.add(phrase, heads, weight);
  }
  const ordered = count.keys.sort((a, b) => {
    const [x, y] = [count.weight(a), count.weight(b)];
    return x === y ? (a < b ? -1 : 1) : x > y ? -1 : 1;
  });
  const shown = ordered.slice(0, MAX_SHOWN).map((phrase) => ({ key: phrase, label: phrase }));
  return { options: count.lines(shown, sumBundles(bundles), definition), phrases: ordered.length };
}
