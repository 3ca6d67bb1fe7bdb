import t from 'tap';
import { Views } from '../../../core/live/views.ts';
import { newSlice } from '../../../core/voting/count/slice.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import { resultOf } from '../../../core/voting/result/result.ts';
import { visibleResult } from '../../../core/voting/result/visibility.ts';
import { VISIBILITIES } from '../../../core/voting/rules/settings.ts';
import { define, pollOf } from '../../support/kind.ts';

const AUDIENCES = ['operator', 'voter', 'public'] as const;

t.test('a result is encoded once per audience, and never seen by another one', async (t) => {
  const slice = newSlice('q', 1, 'last', 1);
  slice.tally.set('b', 2);
  const views = new Views();
  for (const visibility of VISIBILITIES) {
    const definition = define('single', ['a', 'b'], { visibility });
    const open: Poll = { ...pollOf(definition), status: 'open' };
    const result = resultOf(open, [slice], 0);
    for (const poll of [open, { ...open, curtain: true as const }, open, { ...open, status: 'draft' as const }]) {
      for (const audience of AUDIENCES) {
        const view = views.of(result, poll, audience);
        const expected = visibleResult(result, poll, audience);
        t.equal(view.json, JSON.stringify(expected), `${visibility} for ${audience}, ${poll.status} ${poll.curtain}`);
        t.equal(views.of(result, { ...poll }, audience), view, 'the same object for an equal poll');
        t.match(view.etag, /^"[\w-]{22}"$/);
      }
    }
    const other = { ...open, definition: { ...definition, visibility: 'operator' as const } };
    t.equal(views.of(result, other, 'public').result.ballots, null, 'another visibility');
    const changed = { ...result, votes: 3 };
    t.not(views.of(changed, open, 'operator').etag, views.of(result, open, 'operator').etag, 'another result');
  }
});
