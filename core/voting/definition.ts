import { IDENTIFIER_RULE, isIdentifier } from './identifier.ts';
import { kinds } from './kinds/index.ts';
import type { Definition } from './poll.ts';

export const MAX_OPTIONS = 100;
export const MAX_TITLE_LENGTH = 300;
export const MAX_LABEL_LENGTH = 200;

/** Control characters, and the bidirectional controls that make a text read differently from what it says. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

/**
 * Fills in the defaults of a definition and lists everything that is wrong with it, so that its author
 * can mend all of it at once. Each problem is a sentence that begins with the field's name.
 */
export function checkDefinition(draft: Definition): { definition: Definition; problems: string[] } {
  const definition = kinds[draft.kind].complete(draft);
  const problems = [
    ...idProblems(definition),
    ...textProblems('title', definition.title, MAX_TITLE_LENGTH),
    ...optionProblems(definition),
    ...kinds[definition.kind].problems(definition),
  ];
  return { definition, problems };
}

function idProblems({ poll, room }: Definition): string[] {
  const problems: string[] = [];
  if (!isIdentifier(poll)) problems.push(`poll: must be ${IDENTIFIER_RULE}`);
  if (room !== undefined && !isIdentifier(room)) problems.push(`room: must be ${IDENTIFIER_RULE}`);
  return problems;
}

function optionProblems({ options }: Definition): string[] {
  const problems: string[] = [];
  if (options.length > MAX_OPTIONS) problems.push(`options: at most ${MAX_OPTIONS}, not ${options.length}`);
  const seen = new Set<string>();
  for (const [i, { key, label }] of options.slice(0, MAX_OPTIONS).entries()) {
    if (!isIdentifier(key)) problems.push(`options[${i}].key: must be ${IDENTIFIER_RULE}`);
    if (seen.has(key)) problems.push(`options[${i}].key: ${JSON.stringify(key)} is there twice`);
    seen.add(key);
    problems.push(...textProblems(`options[${i}].label`, label, MAX_LABEL_LENGTH));
  }
  return problems;
}

function textProblems(field: string, text: string, max: number): string[] {
  const problems: string[] = [];
  if (text.trim() === '') problems.push(`${field}: must not be empty`);
  if (text.length > max) problems.push(`${field}: at most ${max} characters, not ${text.length}`);
  if (UNPRINTABLE.test(text)) problems.push(`${field}: holds a control or text-direction character; remove it`);
  return problems;
}
