import { Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { MAX_ENTRY_ITEMS } from '../../../broker/intake/appender.ts';
import { Intake } from '../../../broker/intake/intake.ts';
import { MissingKeys } from '../../../broker/intake/missing-keys.ts';
import { brokerMetrics } from '../../../broker/metrics.ts';
import type { Receipt } from '../../../broker/outbound/receipts.ts';
import { PollBook } from '../../../core/live/poll-book.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import { START } from '../../../core/store/offset.ts';
import type { VoteEntry } from '../../../core/voting/count/entry.ts';
import { packetOf } from '../../../core/voting/count/packet.ts';
import type { Draft } from '../../../core/voting/kinds/definition.ts';
import type { Elector } from '../../../core/voting/poll/electorate.ts';
import { eventually } from '../../support/eventually.ts';
import { questionWith } from '../voting/question.ts';

interface Sent {
  readonly device?: string;
  readonly payload: string;
  readonly poll?: string;
  readonly elector?: Partial<Elector>;
  readonly packetId?: number;
  readonly mayRepeat?: boolean;
  readonly isKnownToRepeat?: boolean;
  readonly isTooFast?: boolean;
}

/** An intake over a store of its own, with the poll `q` open. */
async function taking(t: Test, settings: Partial<Draft> = {}, pseudonymKey?: string, expectedMs?: number) {
  const store = await EmbeddedStore.open({ directory: t.testdir(), partitions: 1 });
  const put = (definition = questionWith(settings)) =>
    store.registry.put('polls', 'q', {
      definition,
      status: 'open',
      round: 1,
      createdAtMs: 0,
      openedAtMs: 0,
      pseudonymKey,
    });
  await put();
  const polls = await PollBook.open(store.registry, createLog('silent'));
  t.teardown(async () => {
    await polls.close();
    await store.close();
  });
  const metrics = brokerMetrics(new Registry());
  const lease = { untilMs: Number.POSITIVE_INFINITY, term: 1 };
  const missingKeys = new MissingKeys(polls, expectedMs);
  const parts = { log: store.log, ballots: store.ballots, polls, missingKeys };
  const intake = new Intake({ ...parts, producer: 'run', lease, metrics });
  t.teardown(() => intake.close());
  const settled: (readonly [pending: number, receipt: Receipt, error?: Error])[] = [];
  const sender = { settled: (...outcome: [number, Receipt, Error | undefined]) => void settled.push(outcome) };
  let pending = 0;
  const send = ({ device = 'd', payload, poll = 'q', elector = {}, packetId = 7, ...rest }: Sent) => {
    Object.assign(intake.message, {
      ...{ device, elector: { device, isRegistered: false, isGuest: true, ...elector }, topic: { to: 'poll', poll } },
      ...{ payload: Buffer.from(payload), dup: false, retain: false, connection: 3, packetId, packetHash: 11 },
      ...{ mayRepeat: false, isKnownToRepeat: false, isTooFast: false, ...rest, sender, pending: pending++ },
    });
    intake.receive();
  };
  const entries = async () => {
    await intake.drained();
    const found = await store.log.read(new Map([[0, START]]), { limit: 1_000, waitMs: 0 });
    return (found.get(0) ?? []).map(({ entry }) => entry as VoteEntry);
  };
  const votes = async () => (await entries()).flatMap(({ rounds }) => rounds.flatMap((round) => [...round.votes]));
  const receipts = () => settled.map(([, receipt]) => receipt);
  return { send, settled, receipts, entries, votes, polls, put, metrics, intake, missingKeys };
}

t.test('nothing of one message gets into the next', async (t) => {
  const { send, votes, receipts, settled } = await taking(t, { withdraw: true });
  send({ payload: '{"c":"a","n":5,"t":9}', mayRepeat: true });
  send({ payload: 'b', mayRepeat: true });
  send({ payload: 'x' });
  send({ payload: 'c', packetId: -1, mayRepeat: true });
  send({ payload: 'c', isKnownToRepeat: true });
  send({ payload: '-' });
  send({ payload: 'a', poll: 'none' });
  const [numbered, wrapped, unpacked] = await votes();
  const common = { device: 'd', dup: false, connection: 3 };
  const none = { n: undefined, t: undefined };
  t.same(numbered, { ...common, choice: 'a', n: 5, t: 9, packet: undefined, mayRepeat: false });
  t.same(wrapped, { ...common, ...none, choice: 'b', packet: packetOf(7, 11), mayRepeat: true });
  t.same(unpacked, { ...common, ...none, choice: 'c', packet: undefined, mayRepeat: false });
  t.same(
    settled.map(([pending]) => pending),
    [0, 1, 2, 3, 4, 5, 6],
    'each once, in order',
  );
  t.match(receipts().slice(1), [
    { poll: 'q', undecided: false },
    { poll: 'q', rejected: 'unknown-option' },
    { poll: 'q', undecided: false },
    { poll: 'q', undecided: true },
    { poll: 'q', undecided: true },
    { poll: 'none', rejected: 'unknown-poll' },
  ]);
});

t.test('what a text means is forgotten when the poll changes', async (t) => {
  const { send, put, polls, entries, receipts } = await taking(t);
  send({ payload: 'a' });
  send({ payload: 'z' });
  await entries();
  await put(questionWith({ options: ['z', 'y'].map((key) => ({ key, label: key })) }));
  await polls.refresh('q');
  send({ payload: 'a' });
  send({ payload: 'z' });
  await entries();
  t.same(
    receipts().map(({ rejected }) => rejected),
    [undefined, 'unknown-option', 'unknown-option', undefined],
  );
});

t.test('a message with several votes is settled once, when the last of its entries is stored', async (t) => {
  const { send, entries, votes, settled, metrics } = await taking(t, { eligible: 'registered' });
  const mandates = ['m1', 'm2', 'm3', 'm4'].map((mandate) => ({ mandate }));
  const elector = { isRegistered: true, isGuest: false };
  for (let i = 1; i < MAX_ENTRY_ITEMS - 2; i++) send({ device: `d${i}`, payload: 'a', elector });
  send({ device: 'e', payload: 'b', elector: { ...elector, mandates } });
  send({ device: 'f', payload: 'b' });
  t.same(
    (await entries()).map(({ rounds }) => rounds[0]?.votes.length),
    [MAX_ENTRY_ITEMS, 2],
  );
  t.same(
    (await votes()).slice(-5).map(({ device }) => device),
    ['e', 'e/m1', 'e/m2', 'e/m3', 'e/m4'],
  );
  t.equal(settled.length, MAX_ENTRY_ITEMS - 1);
  t.match(settled.slice(-2), [
    [MAX_ENTRY_ITEMS - 3, { poll: 'q' }],
    [MAX_ENTRY_ITEMS - 2, { rejected: 'not-eligible' }],
  ]);
  t.match(await metrics.accepted.get(), { values: [{ value: MAX_ENTRY_ITEMS + 2 }] });
  const { values } = await metrics.rejected.get();
  t.same(
    values.filter(({ value }) => value > 0),
    [{ value: 1, labels: { reason: 'not-eligible' } }],
  );
});

t.test('the votes of a poll with pseudonyms are logged under these, without their times', async (t) => {
  const { send, votes } = await taking(t, {}, 'key');
  send({ payload: '{"c":"a","t":5}' });
  send({ payload: 'b' });
  const [first, second] = await votes();
  t.not(first?.device, 'd');
  t.equal(first?.device, second?.device);
  t.match(first, { choice: 'a', t: undefined });
  t.ok((first?.connection ?? 0) > 3 && first?.packet !== packetOf(7, 11), 'numbers do not link it to the device');
});

t.test(
  'without the key of a secret round, votes are neither stored nor rejected, but fail after a moment',
  async (t) => {
    const { send, entries, settled, metrics } = await taking(t, { secrecy: 'secret', visibility: 'closed' });
    send({ payload: 'a' });
    send({ payload: 'nonsense' });
    t.same(settled, [], 'not at once');
    await eventually('the end of both', async () => (settled.length === 2 ? true : undefined));
    for (const [i, [pending, , error]] of settled.entries()) {
      t.equal(pending, i);
      t.match(error, { message: /send the vote again/ });
    }
    t.same(await entries(), []);
    t.match(await metrics.failed.get(), { values: [{ value: 2 }] });
  },
);

t.test('votes that are postponed fail before intake counts as drained, and obey the limit of votes', async (t) => {
  const { send, intake, settled, entries, missingKeys } = await taking(t, { secrecy: 'secret', visibility: 'closed' });
  send({ payload: 'a' });
  send({ payload: 'a', isTooFast: true });
  send({ payload: 'b' });
  t.equal(missingKeys.expected, 'q');
  await intake.drained();
  t.same(settled.map(([pending, { rejected }, error]) => [pending, rejected, error !== undefined]).sort(), [
    [0, undefined, true],
    [1, 'too-fast', false],
    [2, undefined, true],
  ]);
  t.match(await entries(), [{ rounds: [{ poll: 'q', round: 1, rejected: { 'too-fast': 1 } }] }]);
  send({ payload: 'a' });
  intake.close();
  t.equal(settled.length, 4, 'nothing waits any more');
});

t.test(
  'if no process has the key of a secret round, its votes are rejected like those of a poll that is not open',
  async (t) => {
    const { send, put, polls, entries, receipts, missingKeys } = await taking(
      t,
      { secrecy: 'secret', visibility: 'closed' },
      undefined,
      0,
    );
    t.equal(missingKeys.expected, undefined, 'the broker is ready');
    send({ payload: 'a' });
    t.match(await entries(), [{ rounds: [{ poll: 'q', round: 1, rejected: { 'not-open': 1 } }] }]);
    await put(questionWith({}));
    await polls.refresh('q');
    send({ payload: 'a' });
    await entries();
    t.match(receipts(), [
      { poll: 'q', rejected: 'not-open' },
      { poll: 'q', rejected: undefined },
    ]);
  },
);
