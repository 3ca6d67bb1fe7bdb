import type { Definition } from '../../../core/voting/poll.ts';
import type { FormProps } from './form.ts';
import { Grades } from './grades.tsx';
import { Keys } from './keys.tsx';
import { NumberForm } from './number.tsx';
import { Order } from './order.tsx';
import { Phrases } from './phrases.tsx';
import { Some } from './some.tsx';
import { Spread } from './spread.tsx';

/** The form in which a question is answered. */
export function Ballot(props: FormProps) {
  const Form = formOf(props.question);
  return <Form {...props} />;
}

function formOf({ kind, question, items }: Definition) {
  switch (kind) {
    case 'multiple':
      return Some;
    case 'rating':
      return items ? Grades : Keys;
    case 'score':
      return Grades;
    case 'numeric':
      return NumberForm;
    case 'points':
      return Spread;
    case 'ranking':
      return Order;
    case 'text':
      return Phrases;
    case 'quiz':
      return { single: Keys, multiple: Some, ordering: Order, short: Phrases }[question ?? 'single'];
    default:
      return Keys;
  }
}

/** A choice in the words of the question. */
export function choiceInWords({ kind, question, options, items, unit }: Definition, choice: string): string {
  const things = new Map([...options, ...(items ?? [])].map(({ key, label }) => [key, label]));
  const label = (key: string) => things.get(key) ?? key;
  if (kind === 'text' || (kind === 'quiz' && question === 'short')) return choice.replaceAll(',', ', ');
  if (kind === 'numeric') return unit ? `${choice} ${unit}` : choice;
  if (choice.includes('>'))
    return choice
      .split('>')
      .map((key, i) => `${i + 1}. ${label(key)}`)
      .join(', ');
  if (choice.includes(':')) {
    return choice
      .split(',')
      .map((part) => part.split(':'))
      .map(([key = '', value]) => `${label(key)}: ${value}`)
      .join(', ');
  }
  return choice.split(',').map(label).join(', ');
}
