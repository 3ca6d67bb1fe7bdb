/** The maximum length of a short answer in a quiz, in characters. */
export const MAX_ANSWER_LENGTH = 100;

/** Control characters, and characters that are invisible or make a text read differently from what it says. */
const INVISIBLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c]/u;

/**
 * The normal form of a phrase: Unicode NFKC, lower case, single spaces, no `|`. Undefined if the text contains invisible
 * characters.
 */
export function normalPhrase(text: string): string | undefined {
  if (INVISIBLE.test(text)) return undefined;
  // Upper-casing first maps ß to ss, and both forms of sigma to one. NFKC is repeated because changing the case may
  // undo it.
  const folded = text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
  const phrase = folded.replaceAll('|', ' ').replace(/\s+/gu, ' ').trim();
  return INVISIBLE.test(phrase) ? undefined : phrase;
}

/** The length of a phrase in code points, which is close to what people count as characters. */
export function phraseLength(phrase: string): number {
  return [...phrase].length;
}
