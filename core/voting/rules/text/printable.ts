/**
 * Control characters, line separators, lone surrogates, byte order marks, and the bidirectional controls, which can make a text
 * read differently from what it says.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u061c]/u;

/** All problems with a text shown to people; each starts with the name of the field. */
export function textProblems(field: string, text: string, maxLength: number): string[] {
  const problems: string[] = [];
  if (text.trim() === '') problems.push(`${field}: must not be empty`);
  if (text.length > maxLength) problems.push(`${field}: must have at most ${maxLength} characters, not ${text.length}`);
  if (UNPRINTABLE.test(text)) problems.push(`${field}: contains a control or text-direction character; remove it`);
  return problems;
}

/** All problems with a list of texts shown to people; each starts with the name of the field and the index. */
export function listProblems(field: string, texts: readonly string[], maxLength: number): string[] {
  return texts.flatMap((text, i) => textProblems(`${field}[${i}]`, text, maxLength));
}
