import * as Type from 'typebox';
import { closed, type Frozen } from './schema.ts';
import { IDENTIFIER_RULE, isIdentifier } from './text/identifier.ts';
import { textProblems } from './text/printable.ts';

export const MAX_OPTIONS = 100;
export const MAX_LABEL_LENGTH = 200;

export const OptionSchema = closed({
  key: Type.String({ description: 'what devices send', examples: ['a'] }),
  label: Type.String({ description: `what people read, at most ${MAX_LABEL_LENGTH} characters` }),
});

/** One possible answer: devices send the short key, people read the label. */
export type Option = Frozen<Type.Static<typeof OptionSchema>>;

/** All problems with a list of options; each starts with the name of the field. */
export function optionProblems(field: string, options: readonly Option[]): string[] {
  const problems: string[] = [];
  if (options.length > MAX_OPTIONS)
    problems.push(`${field}: at most ${MAX_OPTIONS} are allowed, not ${options.length}`);
  const seen = new Set<string>();
  for (const [i, { key, label }] of options.slice(0, MAX_OPTIONS).entries()) {
    if (!isIdentifier(key)) problems.push(`${field}[${i}].key: must be ${IDENTIFIER_RULE}`);
    if (seen.has(key)) problems.push(`${field}[${i}].key: ${JSON.stringify(key)} occurs twice`);
    seen.add(key);
    problems.push(...textProblems(`${field}[${i}].label`, label, MAX_LABEL_LENGTH));
  }
  return problems;
}
