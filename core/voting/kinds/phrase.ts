/** Control characters, and those that make a text read differently from what it says, or not show at all. */
const INVISIBLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c]/u;

/**
 * One form for all ways to write a phrase: compatibility characters put together (Unicode NFKC), lower case, single
 * spaces. Undefined when it holds what cannot be shown.
 */
export function normalPhrase(text: string): string | undefined {
  if (INVISIBLE.test(text)) return undefined;
  // By way of upper case, ß and the final sigma get to where their other forms are; NFKC again, as case may undo it.
  const folded = text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
  const phrase = folded.replaceAll('|', ' ').replace(/\s+/gu, ' ').trim();
  return INVISIBLE.test(phrase) ? undefined : phrase;
}

/** The length of a phrase in characters as people count them, nearly: code points. */
export function phraseLength(phrase: string): number {
  return [...phrase].length;
}
