import type { Definition, Draft } from '../../../core/voting/kinds/definition.ts';
import { checkDefinition } from '../../../core/voting/poll/check.ts';

/** A single-choice question with three options, without defaults. */
export const question: Definition = {
  poll: 'q',
  title: 'Question?',
  kind: 'single',
  options: ['a', 'b', 'c'].map((key) => ({ key, label: key.toUpperCase() })),
  revote: 'last',
  visibility: 'live',
};

/** The question above with these settings, checked and completed with defaults. */
export const questionWith = (settings: Partial<Draft>): Definition => {
  const { definition, problems } = checkDefinition({ ...question, ...settings });
  if (problems.length > 0) throw new Error(problems.join('; '));
  return definition;
};
