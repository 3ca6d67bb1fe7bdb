/** The longest ballot of every accepted definition can be parsed, fits, and is as long as any. */
import fc from 'fast-check';
import t from 'tap';
import { decodePayload } from '../../../../broker/intake/payload.ts';
import { validDefinition } from '../../../../core/rounds/poll-repository.ts';
import { castOf, MAX_CAST_BYTES, MAX_CHOICE_BYTES } from '../../../../core/voting/count/cast.ts';
import type { Definition, Draft } from '../../../../core/voting/kinds/definition.ts';
import { KIND_NAMES, kindOf } from '../../../../core/voting/kinds/index.ts';
import { checkDefinition } from '../../../../core/voting/poll/check.ts';
import { REASONS } from '../../../../core/voting/rules/rejection.ts';
import { randomChoice } from '../../../../devices-sim/kinds.ts';
import { seeded } from '../../../../devices-sim/random.ts';
import { parse } from '../../../support/kind.ts';

/** What `parse` returns for an invalid choice; the simulator draws words that are too long for some polls. */
const LONGEST_REASON = Math.max(...REASONS.map((reason) => reason.length));
const key = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const keys = fc.oneof(
  fc.uniqueArray(key, { minLength: 2, maxLength: 99 }),
  // Keys of one length, so that many polls are near the limit.
  fc
    .tuple(fc.integer({ min: 2, max: 99 }), fc.integer({ min: 3, max: 40 }))
    .map(([options, length]) => Array.from({ length: options }, (_, i) => String(i).padStart(length, 'k'))),
);
const small = fc.integer({ min: 1, max: 12 });
const draft = fc
  .record({
    kind: fc.constantFrom(...KIND_NAMES),
    keys,
    small,
    large: fc.integer({ min: 1, max: 2_000 }),
    variant: fc.nat(3),
  })
  .map(({ kind, keys, small, large, variant }): Draft => {
    const options = keys.map((key) => ({ key, label: key }));
    const own: Record<string, Partial<Draft>> = {
      single: { options, none: variant === 0 },
      motion: { abstain: variant > 0 },
      multiple: { options, max: variant === 0 ? undefined : Math.min(small, keys.length), none: variant === 1 },
      rating:
        variant === 0 ? { min: -small, max: small } : { items: options.slice(0, 30), min: -small * variant, max: 9 },
      numeric: { min: -large, max: small + variant, decimals: variant },
      points: { options, budget: variant === 0 ? small : large * small, spend: variant === 1 ? 'all' : 'up-to' },
      ranking: { options: options.slice(0, 50), max: variant === 0 ? undefined : Math.min(small, keys.length) },
      score: { options, max: small * 8 },
      text: { maxLength: 1 + (large % 100), maxPhrases: Math.min(10, small) },
      pulse: { options },
      quiz: [
        { options, correct: keys.slice(0, 1) },
        { options, question: 'multiple', correct: keys.slice(0, 1) },
        { options, question: 'ordering', correct: keys },
        { question: 'short', accept: ['x'] },
      ][variant] as Partial<Draft>,
    };
    return { poll: 'q', title: 'Q?', kind, ...own[kind] };
  });

const bytes = (text: string) => Buffer.byteLength(text);

t.test('a full ballot of any accepted definition is accepted, and fits in every form', async (t) => {
  let [accepted, refused] = [0, 0];
  fc.assert(
    fc.property(draft, fc.integer(), (written, seed) => {
      const { definition, problems } = checkDefinition(written);
      const isTooLong = problems.some((problem) =>
        /a full ballot would take \d+ bytes, but at most \d+ /.test(problem),
      );
      if (isTooLong) refused++;
      if (problems.length > 0) return problems.length === 1 && isTooLong;
      accepted++;
      const { choice } = kindOf(definition).fullest(definition);
      const cast = castOf(choice, {
        weight: '999999999999.999999',
        group: 'g'.repeat(64),
        late: true,
        second: 9_999_999_999,
      });
      const others = { n: 2 ** 53 - 1, t: 2 ** 53 - 1, r: 999, m: 'm'.repeat(64) };
      const payloads = [
        choice,
        JSON.stringify({ c: choice, ...others }),
        JSON.stringify({ c: listed(choice), ...others }),
      ];
      return (
        payloads.every((payload) => isParsed(definition, payload, choice)) &&
        bytes(choice) <= MAX_CHOICE_BYTES &&
        bytes(cast) <= MAX_CAST_BYTES &&
        bytes(parse(definition, randomChoice(definition, seeded(seed)))) <= Math.max(bytes(choice), LONGEST_REASON)
      );
    }),
    { numRuns: 600 },
  );
  t.ok(accepted > 100 && refused > 10, `${accepted} accepted, ${refused} refused`);
});

/** The choice as a device would write it with the types of JSON: a list, an object of numbers, or a text. */
function listed(choice: string): unknown {
  if (choice.includes(':')) {
    return Object.fromEntries(choice.split(',').map((part) => [part.split(':')[0], Number(part.split(':')[1])]));
  }
  return /[,>]/.test(choice) ? choice.split(/[,>]/) : choice;
}

function isParsed(definition: Definition, payload: string, choice: string): boolean {
  const paper = decodePayload(Buffer.from(payload));
  return 'choice' in paper && kindOf(definition).parse(paper.choice, definition) === choice;
}

t.test('a poll whose full ballot does not fit is refused with the numbers', async (t) => {
  const options = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => ({ key: String(i).padStart(length, 'c'), label: 'x' }));
  const problemsOf = (written: Partial<Draft>) => checkDefinition({ poll: 'q', title: 'Q?', ...written }).problems;
  t.same(problemsOf({ kind: 'score', options: options(60, 12) }), [], 'carried: 899 bytes');
  t.same(problemsOf({ kind: 'ranking', options: options(30, 29) }), [], 'carried: 899 bytes');
  t.match(problemsOf({ kind: 'score', options: options(60, 20) }), [
    /^options: a full ballot would take 1379 bytes, but at most 920/,
  ]);
  t.match(problemsOf({ kind: 'ranking', options: options(30, 40) }), [/^options: .*1229/]);
  t.same(problemsOf({ kind: 'ranking', options: options(30, 40), max: 5 }), []);
  t.match(problemsOf({ kind: 'rating', items: options(30, 40) }), [/^items: /]);
  t.match(problemsOf({ kind: 'text', maxLength: 100, maxPhrases: 10 }), [/^maxLength, maxPhrases: .*4009/]);
  t.match(problemsOf({ options: options(3, 1).concat({ key: '-', label: 'x' }), withdraw: true }), [/^withdraw: /]);
});

t.test('the settings of a poll that was opened before this rule can still be changed', async (t) => {
  const options = Array.from({ length: 60 }, (_, i) => ({ key: String(i).padStart(30, 'c'), label: 'x' }));
  const { definition } = checkDefinition({ poll: 'q', title: 'Q?', kind: 'score', options });
  t.equal(validDefinition({ ...definition, visibility: 'closed' }, definition).visibility, 'closed');
  t.throws(() => validDefinition({ ...definition, visibility: 'closed' }), /1 problem/);
  const secret = { ...definition, secrecy: 'secret' } as const;
  t.throws(() => validDefinition(secret, definition), /1 problem/, 'but not to something else that is wrong');
});
