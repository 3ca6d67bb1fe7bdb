import { type Bundle, sumBundles } from '../cast.ts';
import type { Definition } from '../poll.ts';
import { type Rejection, reject } from '../rejection.ts';
import { Count } from './count.ts';
import { type Kind, pointProblems, share } from './kind.ts';
import { parseKeys } from './multiple.ts';
import { normalPhrase, phraseLength } from './phrase.ts';
import { atLeastTwo, parseKey } from './single.ts';
import { cloudOf } from './text.ts';

const MAX_ACCEPTED = 100;
const MAX_ANSWER_LENGTH = 100;

/**
 * A question with a right answer. What is asked for says what a choice is: `single` a key, `multiple` keys `a,c`,
 * `ordering` all keys in order `b>a>c`, `short` an answer in words (in one form, `normalPhrase`). Right answers are told
 * once the round is final. Points come from `credit` and from how fast it was; see leaderboard.ts.
 */
export const quiz: Kind = {
  settings: ['question', 'correct', 'accept', 'credit', 'points', 'speed'],

  complete(definition) {
    const { question = 'single', credit = 'strict', points = 1000, speed = 0, accept } = definition;
    const forms = accept?.map((form) => normalPhrase(form) ?? form);
    return { ...definition, question, credit, points, speed, ...(forms ? { accept: forms } : {}) };
  },

  problems(definition) {
    const { options, question = 'single', correct = [], accept = [], credit = 'strict' } = definition;
    const problems = pointProblems(definition);
    const keys = options.map(({ key }) => key);
    if (question === 'short') {
      if (keys.length > 0) problems.push('options: a short answer has none');
      if (correct.length > 0) problems.push('correct: a short answer has accept, the forms that are right');
      if (accept.length < 1 || accept.length > MAX_ACCEPTED) {
        problems.push(`accept: from 1 to ${MAX_ACCEPTED} forms, not ${accept.length}`);
      }
    } else {
      problems.push(...atLeastTwo(options, 'a quiz question'));
      if (accept.length > 0) problems.push('accept: only for a short answer; here correct holds the right keys');
      for (const key of correct)
        if (!keys.includes(key)) problems.push(`correct: there is no option ${JSON.stringify(key)}`);
      if (new Set(correct).size !== correct.length) problems.push('correct: a key is there twice');
      if (question === 'single' && correct.length !== 1)
        problems.push(`correct: exactly one key, not ${correct.length}`);
      if (question === 'multiple' && correct.length < 1) problems.push('correct: at least one key');
      if (question === 'ordering' && correct.length !== keys.length)
        problems.push('correct: all keys, in the right order');
    }
    const ways = {
      single: ['strict'],
      multiple: ['strict', 'balanced', 'per-option'],
      ordering: ['strict', 'per-option'],
      short: ['strict'],
    };
    if (!ways[question].includes(credit))
      problems.push(`credit: for ${question} ${ways[question].join(' or ')}, not ${credit}`);
    return problems;
  },

  parse(text, definition) {
    switch (definition.question) {
      case 'multiple':
        return parseKeys(text, { ...definition, min: 1, max: definition.options.length });
      case 'ordering':
        return parseOrder(text, definition);
      case 'short':
        return parseAnswer(text);
      default:
        return parseKey(text, definition);
    }
  },

  result(definition, bundles, { isFinal }) {
    const { question, correct = [], accept = [] } = definition;
    const lines = question === 'short' ? cloudOf(definition, bundles).options : linesOf(definition, bundles);
    if (!isFinal) return { options: lines, question };
    const right = sumBundles(bundles.filter(({ choice }) => creditOf(choice, definition) === 1)).heads;
    const isRight = (key: string) => (question === 'short' ? accept : correct).includes(key);
    return {
      // Of an order, no single option is right.
      options: question === 'ordering' ? lines : lines.map((line) => ({ ...line, correct: isRight(line.key) })),
      question,
      correct: { count: right, share: share(right, sumBundles(bundles).heads) },
      answer: question === 'short' ? accept.slice(0, 1) : correct,
      meanCredit: meanCreditOf(definition, bundles),
    };
  },

  credit: creditOf,
};

function parseOrder(text: string, { options }: Definition): string | Rejection {
  const keys = options.map(({ key }) => key);
  const isCompact = !/[>,]/.test(text) && keys.every((key) => key.length === 1);
  const order = isCompact ? [...text] : text.split(/[>,]/, keys.length + 1).map((key) => key.trim());
  if (order.length > keys.length) return reject('too-many-options');
  if (!order.every((key) => keys.includes(key))) return reject('unknown-option');
  if (new Set(order).size !== order.length) return reject('duplicate-option');
  if (order.length < keys.length) return reject('too-few-options');
  return order.join('>');
}

function parseAnswer(text: string): string | Rejection {
  const answer = normalPhrase(text);
  if (answer === undefined) return reject('malformed-text');
  if (answer === '') return reject('empty');
  return phraseLength(answer) > MAX_ANSWER_LENGTH ? reject('too-long') : answer;
}

/** How many chose each option; of an order, how many put it first. */
function linesOf(definition: Definition, bundles: readonly Bundle[]) {
  const count = new Count();
  for (const { choice, heads, weight } of bundles) {
    const chosen = definition.question === 'ordering' ? choice.split('>', 1) : choice.split(',');
    for (const key of chosen) count.add(key, heads, weight);
  }
  return count.lines(definition.options, sumBundles(bundles), definition);
}

/**
 * `strict` all or nothing · `balanced` the share of right options chosen less the share of wrong ones chosen, not below
 * 0 · `per-option` the share of options that are judged rightly, chosen or left; of an order, of places that are right.
 */
function creditOf(choice: string, definition: Definition): number {
  const { question, credit, correct = [], accept = [], options } = definition;
  if (question === 'short') return accept.includes(choice) ? 1 : 0;
  if (question === 'ordering') {
    const places = choice.split('>').filter((key, place) => correct[place] === key).length;
    return credit === 'per-option' ? share(places, correct.length) : Number(places === correct.length);
  }
  const chosen = choice.split(',');
  const right = chosen.filter((key) => correct.includes(key)).length;
  const wrong = chosen.length - right;
  if (credit === 'balanced') {
    const wrongs = options.length - correct.length;
    return Math.max(0, share(right, correct.length) - share(wrong, wrongs));
  }
  if (credit === 'per-option') return share(options.length - wrong - (correct.length - right), options.length);
  return Number(right === correct.length && wrong === 0);
}

function meanCreditOf(definition: Definition, bundles: readonly Bundle[]): number | null {
  const { heads } = sumBundles(bundles);
  if (heads === 0) return null;
  // In one order, whatever the store's is: floating point sums differ by it.
  const sorted = bundles.toSorted((a, b) => (a.choice < b.choice ? -1 : 1));
  return sorted.reduce((sum, bundle) => sum + creditOf(bundle.choice, definition) * bundle.heads, 0) / heads;
}
