import fc from 'fast-check';
import t from 'tap';
import { decodeEntry, encodeEntry } from '../../../../core/voting/count/entries/codec.ts';
import { VoteColumns } from '../../../../core/voting/count/entries/columns.ts';
import { differences, Replay } from '../../../../core/voting/count/replay.ts';
import { newSlice } from '../../../../core/voting/count/slice.ts';
import { shift } from '../../../../core/voting/count/tally.ts';
import { questionWith } from '../question.ts';
import { aLog, aRevote, countOf, opening, votesOf } from './logs.ts';

t.test('recount: counting the log again gives the live count, and differences are reported', async (t) => {
  fc.assert(
    fc.property(aLog, aRevote, (log, revote) => {
      const other = votesOf([{ device: 'd1', choice: 'a' }], {
        rounds: [{ poll: 'other', round: 1, votes: new VoteColumns(), rejected: {} }],
      });
      const entries = [opening(questionWith({ revote })), ...log, other];
      const again = new Replay('q', 1);
      for (const entry of entries) again.add([decodeEntry(encodeEntry(entry))]);
      return differences(countOf(entries), again.slice).length === 0;
    }),
  );
  const live = newSlice('q', 1, 'last', 1);
  const wrong = newSlice('q', 1, 'last', 1);
  shift(wrong.tally, 'a', 1);
  wrong.accounting.rejected.empty = 2;
  t.same(differences(live, wrong), ['choice "a": live 0, recounted 1', 'rejected empty: live 0, recounted 2']);
  t.match(differences(undefined, live), [/is missing a round/]);
  t.match(differences(live, undefined), [/not in the log/]);
});
