import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import { type Stage, stage } from '../../support/stage.ts';
import { create, DOOR, finalOf, options, register, step, votes } from './chair.ts';

const logOf = async (s: Stage) => {
  const { log } = s.pollcast.store;
  const cursors = new Map(Array.from({ length: log.partitions }, (_, p) => [p, '0-0']));
  return JSON.stringify([...(await log.read(cursors, { limit: 1_000, waitMs: 0 }))]);
};

t.test(
  'a secret poll logs no devices, shows no figures before the result is final, and then destroys its key',
  async (t) => {
    const d = await stage(t, DOOR);
    const secret = { secrecy: 'secret', visibility: 'closed', byGroup: true, eligible: 'registered' };
    await create(d, 'q', { options, ...secret });
    await step(d, 'q', 'open');
    const clickers = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        register(d, `clicker-${i}`, { group: i < 2 ? 'few' : 'many', mandates: [{ mandate: `mandate-${i}` }] }),
      ),
    );
    for (const [i, { vote }] of clickers.entries())
      await vote('vote/q', JSON.stringify({ c: 'ab'[i % 2], n: 7, t: 1234567890 }));
    await clickers[0]?.vote('vote/q', '{"c":"c","n":8}');
    await clickers[0]?.vote('vote/q', '{"c":"b","n":6}');
    const open = await d.resultAfter('q', 16);
    t.match(open, {
      hidden: true,
      ballots: 12,
      accounting: { counted: 12, replaced: 2, redelivered: 2 },
      options: [{ count: null }],
    });
    const log = await logOf(d);
    t.match(log, /"choices":\["[abc]/);
    t.notMatch(log, /clicker|mandate-|1234567890/, 'the log contains no device, no mandate and no press time');
    const stored = async () => (await d.pollcast.store.registry.get<Poll>('polls', 'q'))?.value;
    const { pseudonymKey = '' } = (await stored()) ?? {};
    t.ok(pseudonymKey.length > 40);
    t.notMatch(JSON.stringify((await d.call('GET', '/api/polls/q', { operator: true })).body), pseudonymKey);
    t.equal(
      (await d.call('POST', '/api/polls/q/recount', { operator: true })).status,
      409,
      'a recount does not reveal the figures of an open secret poll',
    );
    await step(d, 'q', 'close');
    const final = await finalOf(d, 'q');
    t.match(final.options, [{ count: 4 }, { count: 6 }, { count: 2 }]);
    t.same(
      final.groups.map(({ group }: { group: string | null }) => group),
      [null],
      'neither of the two small groups is shown',
    );
    t.equal((await stored())?.pseudonymKey, undefined, 'the key is destroyed once the result is final');
    t.equal((await d.call('GET', '/api/polls/q/ballots.csv', { operator: true })).status, 403);
    const { body: recounted } = await d.call('POST', '/api/polls/q/recount', { operator: true });
    t.match(recounted, { agrees: true, tally: undefined });
    await step(d, 'q', 'reopen');
    t.ok((await stored())?.pseudonymKey, 'a new round has a new key');
  },
);

t.test('once a secret round is closed, no byte of the data directory has its key', async (t) => {
  const d = await stage(t, DOOR);
  await create(d, 'q', { options, secrecy: 'secret', visibility: 'closed', eligible: 'registered' });
  await step(d, 'q', 'open');
  const clicker = await register(d, 'clicker-1');
  await clicker.vote('vote/q', 'a');
  await clicker.vote('vote/q', 'b', { qos: 2 });
  const { pseudonymKey: key = '' } = (await d.pollcast.store.registry.get<Poll>('polls', 'q'))?.value ?? {};
  const filesWith = (text: string) =>
    (readdirSync(d.directory, { recursive: true }) as string[]).filter((name) => {
      const path = join(d.directory, name);
      return statSync(path).isFile() && readFileSync(path).includes(text);
    });
  t.match(filesWith(key), [/^keys/], 'while it is open, only a file that can be destroyed has it');
  await d.resultAfter('q', 2);
  await step(d, 'q', 'close');
  await finalOf(d, 'q');
  t.same(filesWith(key), []);
  await d.stop();
  t.same(filesWith(key), [], 'nor after the process has stopped');
});

t.test('pseudonymous polls list ballots under pseudonyms, which are the same in every round', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { secrecy: 'pseudonymous' });
  await votes(s, 'device-one', 'q', 'a', 'b');
  await s.resultAfter('q', 2);
  const names = async () => {
    const { body } = await s.call('GET', '/api/polls/q/ballots.csv', { operator: true });
    return body
      .split('\r\n')
      .slice(1, -1)
      .map((line: string) => line.split(',')[0]);
  };
  const [name, ...others] = await names();
  // A spreadsheet would read a pseudonym that begins with a minus as a formula, so it is quoted.
  t.match(name, /^(\w[\w-]{21}|'-[\w-]{21})$/);
  t.same(others, []);
  await step(s, 'q', 'close');
  await step(s, 'q', 'reopen');
  await votes(s, 'device-one', 'q', 'a');
  await s.resultAfter('q', 1);
  t.same(await names(), [name]);
});
