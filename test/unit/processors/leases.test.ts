import t from 'tap';
import { ableProcessors, partitionsOf } from '../../../processors/counting/partition-leases.ts';

t.test('during an update, only processors that can read the newest format share the partitions', async (t) => {
  const old = [
    { id: 'b', facts: {} },
    { id: 'a', facts: { reads: 1 } },
  ];
  t.same(ableProcessors(old), ['a', 'b']);
  const mixed = [...old, { id: 'c', facts: { reads: 2 } }];
  t.same(ableProcessors(mixed), ['c']);
  t.same(partitionsOf('a', ableProcessors(mixed), 4), [], 'an older one steps back');
  t.same(partitionsOf('c', ableProcessors(mixed), 4), [0, 1, 2, 3]);
  t.same(ableProcessors([]), []);
});
