import t from 'tap';
import { newSlice } from '../../../../core/voting/count/slice.ts';
import type { Definition } from '../../../../core/voting/kinds/definition.ts';
import { publicDefinition } from '../../../../core/voting/poll/definition.ts';
import type { Poll } from '../../../../core/voting/poll/poll.ts';
import { figuresOf, type Result, resultOf } from '../../../../core/voting/result/result.ts';
import { type Audience, visibleResult } from '../../../../core/voting/result/visibility.ts';
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
  t.equal(seen({}, 'public'), all);
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
