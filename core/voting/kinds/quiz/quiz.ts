import { type Bundle, sumBundles } from '../../count/cast.ts';
import type { Option } from '../../rules/option.ts';
import { isRejection, type Rejection, reject } from '../../rules/rejection.ts';
import { listProblems } from '../../rules/text/printable.ts';
import { fullestKey, fullestKeys } from '../choices/full.ts';
import { parseKey, parseKeys, parseOrder, tooFewOptionsProblems } from '../choices/keys.ts';
import { fullestPhrases, MAX_ANSWER_LENGTH, normalAnswer, phraseLength } from '../choices/phrase.ts';
import type { Definition } from '../definition.ts';
import { cloudOf } from '../figures/cloud.ts';
import { Count } from '../figures/count.ts';
import { ratio } from '../figures/option-result.ts';
import type { Kind } from '../kind.ts';
import { answerPointProblems } from '../settings/answer-points.ts';
import { creditOf, isAccepted, meanCreditOf } from './credit.ts';
import { settings } from './settings.ts';

const MAX_ACCEPTED = 100;
/** The maximum length of an accepted answer in a definition, in characters. */
const MAX_ACCEPTED_LENGTH = 200;

/** The ways to credit partly right answers that each type of question allows. */
const CREDITS = {
  single: ['strict'],
  multiple: ['strict', 'balanced', 'per-option'],
  ordering: ['strict', 'per-option'],
  short: ['strict'],
};

/**
 * A question with a right answer. `question` determines what a choice is: for `single` a key, for `multiple` keys `a,c`, for
 * `ordering` all keys in order `b>a>c`, for `short` an answer in words in its normal form (`normalAnswer`). Points are
 * computed in result/leaderboard.ts.
 */
export const quiz: Kind<'quiz'> = {
  settings,
  confidential: ['correct', 'accept'],

  complete(definition) {
    const { question = 'single', credit = 'strict', points = 1000, speed = 0, accept } = definition;
    const answers = accept?.map((answer) => normalAnswer(answer) ?? answer);
    return { ...definition, question, credit, points, speed, ...(answers ? { accept: answers } : {}) };
  },

  problems(definition) {
    const { question = 'single', credit = 'strict', accept = [] } = definition;
    const problems = [
      ...listProblems('accept', accept, MAX_ACCEPTED_LENGTH),
      ...answerPointProblems(definition),
      ...(question === 'short' ? shortAnswerProblems(definition) : keyAnswerProblems(definition)),
    ];
    const allowed = CREDITS[question];
    if (!allowed.includes(credit))
      problems.push(`credit: must be ${allowed.join(' or ')} for question ${question}, not ${credit}`);
    return problems;
  },

  parse(text, { question, options }) {
    switch (question) {
      case 'multiple':
        return parseKeys(text, options, 1, options.length);
      case 'ordering':
        return parseWholeOrder(text, options);
      case 'short':
        return parseAnswer(text);
      default:
        return parseKey(text, options);
    }
  },

  fullest({ question, options }) {
    switch (question) {
      case 'multiple':
        return fullestKeys(options, options.length, ',');
      case 'ordering':
        return fullestKeys(options, options.length, '>');
      case 'short':
        return fullestPhrases(MAX_ANSWER_LENGTH, 1);
      default:
        return fullestKey(options);
    }
  },

  result(definition, bundles, { isFinal }) {
    const { question, correct = [], accept = [] } = definition;
    const lines = question === 'short' ? cloudOf(definition, bundles).options : linesOf(definition, bundles);
    if (!isFinal) return { options: lines, question };
    const right = sumBundles(bundles.filter(({ choice }) => creditOf(choice, definition) === 1)).heads;
    const isRight = (key: string) => (question === 'short' ? isAccepted(key, definition) : correct.includes(key));
    return {
      // In an ordering, no single option is right.
      options: question === 'ordering' ? lines : lines.map((line) => ({ ...line, correct: isRight(line.key) })),
      question,
      correct: { count: right, share: ratio(right, sumBundles(bundles).heads) },
      answer: question === 'short' ? accept.slice(0, 1) : correct,
      meanCredit: meanCreditOf(definition, bundles),
    };
  },

  options: ({ question }) => (question === 'short' ? 'none' : 'author'),

  applies(setting, { question }) {
    if (setting === 'accept' || setting === 'ignoreDiacritics') return question === 'short';
    return setting !== 'correct' || question !== 'short';
  },

  hasAnswer: () => true,
  credit: creditOf,
};

function shortAnswerProblems({ options, correct = [], accept = [] }: Definition<'quiz'>): string[] {
  const problems: string[] = [];
  if (options.length > 0) problems.push('options: not allowed for a short answer');
  if (correct.length > 0) problems.push('correct: not allowed for a short answer; list the accepted answers in accept');
  if (accept.length < 1 || accept.length > MAX_ACCEPTED) {
    problems.push(`accept: must list 1 to ${MAX_ACCEPTED} answers, not ${accept.length}`);
  }
  return problems;
}

function keyAnswerProblems({
  options,
  question,
  correct = [],
  accept = [],
  ignoreDiacritics,
}: Definition<'quiz'>): string[] {
  const problems = tooFewOptionsProblems(options, 'a quiz question');
  const keys = options.map(({ key }) => key);
  if (ignoreDiacritics) problems.push('ignoreDiacritics: only allowed for a short answer');
  if (accept.length > 0) problems.push('accept: only allowed for a short answer; list the right keys in correct');
  for (const key of correct) {
    if (!keys.includes(key)) problems.push(`correct: there is no option ${JSON.stringify(key)}`);
  }
  if (new Set(correct).size !== correct.length) problems.push('correct: a key is listed twice');
  if (question === 'single' && correct.length !== 1)
    problems.push(`correct: must be exactly one key, not ${correct.length}`);
  if (question === 'multiple' && correct.length < 1) problems.push('correct: must have at least one key');
  if (question === 'ordering' && correct.length !== keys.length) {
    problems.push('correct: must list all keys, in the right order');
  }
  return problems;
}

function parseWholeOrder(text: string, options: readonly Option[]): string | Rejection {
  const order = parseOrder(text, options);
  if (isRejection(order)) return order;
  return order.length < options.length ? reject('too-few-options') : order.join('>');
}

function parseAnswer(text: string): string | Rejection {
  const answer = normalAnswer(text);
  if (answer === undefined) return reject('malformed-text');
  if (answer === '') return reject('empty');
  return phraseLength(answer) > MAX_ANSWER_LENGTH ? reject('too-long') : answer;
}

/** How many voters chose each option; for an ordering, how many put it first. */
function linesOf(definition: Definition<'quiz'>, bundles: readonly Bundle[]) {
  const count = new Count();
  for (const { choice, heads, weight } of bundles) {
    const chosen = definition.question === 'ordering' ? choice.split('>', 1) : choice.split(',');
    for (const key of chosen) count.add(key, heads, weight);
  }
  return count.lines(definition.options, sumBundles(bundles), definition);
}
