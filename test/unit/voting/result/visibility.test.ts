import t from 'tap';
import { newSlice } from '../../../../core/voting/count/slice.ts';
import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { publicDefinition } from '../../../../core/voting/poll/definition.ts';
import type { Poll } from '../../../../core/voting/poll/poll.ts';
import { figuresOf, type Result, resultOf } from '../../../../core/voting/result/result.ts';
import { type Audience, publicPart, visibleResult } from '../../../../core/voting/result/visibility.ts';
import { allowedVisibilities, SECRECIES, VISIBILITIES } from '../../../../core/voting/rules/settings.ts';
import { define, pollOf } from '../../../support/kind.ts';

t.test('visibility decides what each audience sees of open and final results', async (t) => {
  const seen = (settings: Partial<Definition>, audience: Audience, status: Poll['status'] = 'open') => {
    const poll = { ...pollOf(define('single', ['a', 'b'], settings)), status };
    const slice = { ...newSlice('q', 1, 'last', 1), open: status === 'open' };
    slice.tally.set('b', 2);
    Object.assign(slice.accounting, { received: 2, counted: 2 });
    const result: Result = visibleResult(resultOf(poll, [slice], 0), poll, audience);
    return `${result.options[1]?.count ?? '-'} ${result.ballots ?? '-'} ${JSON.stringify(result).includes('winners')}`;
  };
  const [all, turnout, nothing] = ['2 2 true', '- 2 false', '- - false'];
  t.equal(seen({ visibility: 'live' }, 'public'), all);
  t.equal(seen({ visibility: 'turnout' }, 'public'), turnout);
  t.equal(seen({ visibility: 'turnout' }, 'public', 'closed'), turnout);
  t.equal(seen({ visibility: 'turnout' }, 'operator'), all);
  t.equal(seen({ visibility: 'voted' }, 'public'), turnout);
  t.equal(seen({ visibility: 'voted' }, 'voter'), all);
  t.equal(seen({ visibility: 'voted' }, 'public', 'closed'), all);
  t.equal(seen({ visibility: 'closed' }, 'voter'), turnout);
  t.equal(seen({ visibility: 'closed' }, 'public', 'closed'), all);
  t.equal(seen({ visibility: 'operator' }, 'public', 'closed'), nothing);
  t.equal(seen({ visibility: 'operator' }, 'operator'), all);
  const secret = { secrecy: 'secret' } as const;
  t.equal(
    seen({ ...secret, visibility: 'closed' }, 'operator'),
    turnout,
    'in a secret poll, not even operators see figures before the result is final',
  );
  t.equal(seen({ ...secret, visibility: 'operator' }, 'operator'), turnout);
  t.equal(seen({ ...secret, visibility: 'operator' }, 'public'), nothing);
  t.equal(seen({ ...secret, visibility: 'closed' }, 'public', 'closed'), all);
});

t.test('the presenter’s curtain hides what the poll shows from everybody but operators', async (t) => {
  const slice = { ...newSlice('q', 1, 'last', 1), open: false };
  slice.tally.set('b', 2);
  Object.assign(slice.accounting, { received: 2, counted: 2 });
  for (const visibility of VISIBILITIES) {
    const poll: Poll = { ...pollOf(define('single', ['a', 'b'], { visibility })), status: 'closed', curtain: true };
    const result = resultOf(poll, [slice], 0);
    for (const audience of ['public', 'voter'] as const) {
      const seen = visibleResult(result, poll, audience);
      t.match(seen, { hidden: true, final: true });
      t.notMatch(JSON.stringify(seen), /winners|"count":2/, `${visibility}: no figures for ${audience}`);
      const { curtain, ...shown } = poll;
      const isCurtainTheReason = !visibleResult(result, shown, audience).hidden;
      t.equal(seen.hidden && seen.curtain === true, isCurtainTheReason, `${visibility}: ${audience} learns why`);
      if (visibility === 'operator') t.equal(seen.ballots, null, 'the curtain does not reveal the turnout');
    }
    t.equal(visibleResult(result, poll, 'operator'), result);
  }
});

t.test('correct answers are shown once the round is final, and never in the public definition', async (t) => {
  const definition = define('quiz', ['a', 'b'], { correct: ['b'] });
  const figures = (isFinal: boolean) => JSON.stringify(figuresOf(pollOf(definition), new Map([['a', 1]]), isFinal, 0));
  t.notMatch(figures(false), /correct|answer/);
  t.match(figures(true), /"correct":true/);
  const short = define('quiz', [], { question: 'short', accept: ['Shelley'] });
  const estimate = define('numeric', [], { min: 0, max: 300, answer: 206 });
  for (const one of [definition, short, estimate])
    t.notMatch(JSON.stringify(publicDefinition(one)), /correct|accept|answer|shelley|206/);
});

t.test('what everybody may see is what the public sees, and votes change nothing of the rest', async (t) => {
  for (const secrecy of SECRECIES) {
    for (const visibility of allowedVisibilities({ secrecy })) {
      for (const status of ['draft', 'open', 'grace', 'closing', 'closed'] as const) {
        for (const curtain of [undefined, true] as const) {
          const poll: Poll = { ...pollOf(define('single', ['a', 'b'], { visibility, secrecy })), status, curtain };
          const seenAfter = (votes: number, choice: string) => {
            const slice = { ...newSlice('q', 1, 'last', votes), open: status !== 'closed' };
            slice.tally.set(choice, votes);
            Object.assign(slice.accounting, { received: votes, counted: votes });
            return JSON.stringify(visibleResult(resultOf(poll, [slice], 0), poll, 'public'));
          };
          const part = publicPart(poll, status === 'closed');
          const moves = seenAfter(1, 'a') !== seenAfter(2, 'a');
          const isShown = seenAfter(2, 'a') !== seenAfter(2, 'b');
          const name = `${visibility} ${secrecy} ${status} ${curtain}`;
          t.equal(part === 'figures', isShown, name);
          if (status !== 'draft') t.equal(part === 'nothing', !moves, name);
          else t.equal(part, 'nothing', name);
        }
      }
    }
  }
});
