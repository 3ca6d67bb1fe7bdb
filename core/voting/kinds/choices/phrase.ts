import type { FullBallot } from '../kind.ts';
import { withoutIdleJoiners } from './joiners.ts';

/** The maximum length of a short answer in a quiz, in characters. */
export const MAX_ANSWER_LENGTH = 100;

/** Characters that no keyboard types into a phrase: control characters, lone surrogates, and line separators. */
const MALFORMED = /[\p{Cc}\p{Cs}\u2028\u2029]/u;
/** Everything that is not drawn: what Unicode lets programs ignore, and annotation marks. */
const INVISIBLE = '[\\p{Default_Ignorable_Code_Point}\\ufff9-\\ufffb]';
const ALL_INVISIBLE = new RegExp(INVISIBLE, 'gu');
/**
 * The flags of England, Scotland and Wales are a black flag and invisible tags, which are kept. Of the other invisible
 * characters, only joiners may be needed.
 */
const NEEDLESS = new RegExp(
  `(\\u{1f3f4}(?:${['gbeng', 'gbsct', 'gbwls'].map(tagged).join('|')}))|(?![\\u200c\\u200d])${INVISIBLE}`,
  'gu',
);
/** Emoji that are drawn as text unless a variation selector follows. © and ® are meant as text. */
const TEXT_EMOJI =
  /(?![\p{Emoji_Presentation}\u00a9\u00ae])(?=\p{Emoji})\p{Extended_Pictographic}(?!\p{Emoji_Modifier})|[0-9#*](?=\u20e3)/gu;
/** Characters of phrases that count as spaces: the separator of casts, and the Braille pattern without dots. */
const BLANK = /[|\u2800\s]+/gu;

/**
 * How often the steps to the normal form are repeated: removing a character may let others combine, and some become invisible
 * only in NFKC. No text is known that needs more than two steps.
 */
const MAX_STEPS = 8;

/**
 * The normal form of a phrase: Unicode NFKC, lower case, single spaces, no `|`, no invisible characters except joiners that
 * change how the text looks, and emoji as pictures. Undefined if the text contains control characters.
 */
export function normalPhrase(text: string): string | undefined {
  if (MALFORMED.test(text)) return undefined;
  let phrase = normalStep(text);
  for (let step = 0; step < MAX_STEPS; step++) {
    const before = phrase;
    phrase = normalStep(before);
    if (phrase === before) return phrase;
  }
  return undefined;
}

function normalStep(text: string): string {
  // Upper-casing first maps ß to ss, and both forms of sigma to one. NFKC is repeated because changing the case may
  // undo it.
  const folded = text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
  const visible = withoutIdleJoiners(folded.replace(NEEDLESS, (_, flag?: string) => flag ?? ''));
  return visible.normalize('NFKC').replace(BLANK, ' ').trim().replace(TEXT_EMOJI, '$&\ufe0f');
}

/** A phrase without any invisible character, for comparing it with a list. */
export function bare(phrase: string): string {
  return phrase.replace(ALL_INVISIBLE, '');
}

/** Digits of all scripts, and what may end a sentence. */
const DIGIT = /\p{Nd}/gu;
const ENDING = /[\p{Terminal_Punctuation}\s]+$/u;
/** Diacritics of Latin, Greek, Cyrillic, Arabic and Hebrew. Those of Japanese are left out: they make a different letter. */
const DIACRITIC = /(?=\p{Mn})(?![\u3099\u309a])[\p{Script=Inherited}\p{Script=Hebrew}]/gu;
/** Letters with a stroke, ligatures and others that Unicode does not decompose. */
const STROKED: Readonly<Record<string, string>> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
  ð: 'd',
  þ: 'th',
};

/** The normal form of a short answer: that of a phrase, with the digits 0 to 9 and without punctuation at the end. */
export function normalAnswer(text: string): string | undefined {
  const phrase = normalPhrase(text)?.replace(DIGIT, digitOf);
  return phrase && (normalPhrase(phrase.replace(ENDING, '')) || phrase);
}

/** An answer in its normal form without invisible characters and, if they are to be ignored, without diacritics. */
export function comparableAnswer(answer: string, ignoreDiacritics: boolean): string {
  if (!ignoreDiacritics) return bare(answer);
  const letters = bare(answer).normalize('NFKD').replace(DIACRITIC, '').normalize('NFKC');
  return letters.replace(/[^\0-\u007f]/g, (letter) => STROKED[letter] ?? letter);
}

/** The value of a decimal digit. Unicode encodes the ten digits of a script one after the other. */
function digitOf(digit: string): string {
  const point = digit.codePointAt(0) as number;
  let first = point;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first--;
  return String((point - first) % 10);
}

/** The length of a phrase in code points, which is close to what people count as characters. */
export function phraseLength(phrase: string): number {
  return [...phrase].length;
}

/** A character of the normal form that takes four bytes in UTF-8, as many as any. */
const WIDE = 0x20000;

/** The longest ballot of different phrases. @param length the maximum number of characters in a phrase */
export function fullestPhrases(length: number, phrases: number): FullBallot {
  const choice = Array.from({ length: phrases }, (_, i) => String.fromCodePoint(WIDE + i).repeat(length)).join(',');
  return { choice, follows: 'maxLength, maxPhrases' };
}

/** A region as invisible tags, with the tag that ends them. */
function tagged(region: string): string {
  return [...region, '\u007f']
    .map((letter) => `\\u{${(0xe0000 + (letter.codePointAt(0) ?? 0)).toString(16)}}`)
    .join('');
}
