import t from 'tap';
import { VoteColumns } from '../../../core/voting/count/entries/columns.ts';
import { partitionOf } from '../../../core/voting/count/partition.ts';
import { eventually } from '../../support/eventually.ts';
import { stage } from '../../support/stage.ts';
import { vote, watch } from './viewer.ts';

/** Enough different ballots for the calculator’s thread. */
const BALLOTS = 3_000;

t.test('the result of a large tally moves, and is final everywhere', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { kind: 'numeric', options: undefined, min: 0, max: 100_000 });
  const { log } = s.pollcast.store;
  const devices = Array.from({ length: BALLOTS }, (_, i) => ({ device: `d${i}`, choice: String(i) }));
  for (let partition = 0; partition < log.partitions; partition++) {
    const votes = VoteColumns.of(devices.filter(({ device }) => partitionOf(device, log.partitions) === partition));
    const rounds = [{ poll: 'q', round: 1, votes, rejected: {} }];
    await log.append(partition, {
      type: 'votes',
      producer: 'test',
      sequence: 1,
      atMs: Date.now(),
      rounds,
      refused: {},
    });
  }
  t.match(await s.resultAfter('q', BALLOTS), { ballots: BALLOTS, mean: (BALLOTS - 1) / 2 });
  const viewer = await watch(t, `${s.http}/api/polls/q/stream`);
  const listener = await s.device('listener');
  await listener.subscribe('result/q');
  await vote(s, 'late', 'q', '99999');
  const moved = await s.resultAfter('q', BALLOTS + 1);
  t.match(moved, { ballots: BALLOTS + 1, mean: (((BALLOTS - 1) * BALLOTS) / 2 + 99_999) / (BALLOTS + 1) });
  await s.call('POST', '/api/polls/q/close', { operator: true });
  await eventually('the final event', async () => viewer.events.find(({ event }) => event === 'final'));
  const announced = await eventually('the final announcement', async () =>
    listener.messages.map(([, text]) => text).find((text) => text.includes('"final":true')),
  );
  t.match(JSON.parse(announced), { final: true, ballots: BALLOTS + 1 });
  const recounted = await s.call('POST', '/api/polls/q/recount', { operator: true });
  t.match(recounted.body, { agrees: true });
  t.match((await s.call('GET', '/api/polls/q/result')).body, { final: true, ballots: BALLOTS + 1 });
  const { body } = await s.call('GET', '/metrics');
  t.match(body, /^pollcast_calculator_losses_total 0$/m);
});
