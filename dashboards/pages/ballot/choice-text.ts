import type { Option } from '../../../core/voting/rules/option.ts';

/** A choice such as `a,c`, with labels in place of keys. */
export function labelsText(choice: string, options: readonly Option[]): string {
  return choice.split(',').map(labeller(options)).join(', ');
}

/** A ranking such as `b>a`, as a numbered list of labels. */
export function orderText(choice: string, options: readonly Option[]): string {
  const label = labeller(options);
  return choice
    .split('>')
    .map((key, i) => `${i + 1}. ${label(key)}`)
    .join(', ');
}

/** Numbers by key, such as `a:3,b:7`, with labels in place of keys. */
export function pairsText(choice: string, options: readonly Option[]): string {
  const label = labeller(options);
  return choice
    .split(',')
    .map((part) => part.split(':'))
    .map(([key = '', value]) => `${label(key)}: ${value}`)
    .join(', ');
}

/** The numbers of a choice by key, `a:3,b:7`. */
export function numbersIn(choice = ''): Readonly<Record<string, number>> {
  const pairs = choice.split(',').map((part) => part.split(':'));
  return Object.fromEntries(
    pairs.filter(([, value]) => value !== undefined).map(([key, value]) => [key, Number(value)]),
  );
}

export const phrasesText = (choice: string): string => choice.replaceAll(',', ', ');

function labeller(options: readonly Option[]): (key: string) => string {
  const labels = new Map(options.map(({ key, label }) => [key, label]));
  return (key) => labels.get(key) ?? key;
}
