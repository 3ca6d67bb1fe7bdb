import t from 'tap';
import { followPoll, followPolls, followRoom, type Line, type Result } from '../../client/stream.ts';
import { eventually } from '../support/eventually.ts';
import { onOwnPorts } from '../support/ports.ts';
import { stage } from '../support/stage.ts';

t.test('a poll is followed from its first to its final result, with all changes applied', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const results: Result[] = [];
  const stop = followPoll('q', { onResult: (result) => results.push(result) }, { base: s.http });
  t.teardown(stop);
  await (await s.device('d')).vote('vote/q', 'b');
  await eventually('the vote', async () => (results.at(-1)?.ballots === 1 ? true : undefined));
  t.match(results.at(-1)?.options, [{ count: 0 }, { count: 1 }, { count: 0 }]);
  await s.call('POST', '/api/polls/q/close', { operator: true });
  const final = await eventually('the final result', async () => results.find((result) => result.final));
  t.match(final, { status: 'closed', ballots: 1, title: 'Poll q' });
  const last = await eventually('the recount', async () => (results.at(-1)?.recount ? results.at(-1) : undefined));
  t.match(last, { final: true, recount: { agrees: true, at: /Z$/ } }, 'the recount arrives automatically');
});

t.test('the module can be imported under its public name', async (t) => {
  const name = 'pollcast/stream';
  t.equal((await import(name)).followPoll, followPoll);
});

t.test('a lost stream is reconnected, and a refused request is retried', async (t) => {
  const first = await onOwnPorts(1, (port) => stage(t, { httpPort: String(port) }));
  const base = first.http;
  const lines: (Line | number)[] = [];
  const results: Result[] = [];
  const listener = {
    onResult: (result: Result) => results.push(result),
    onLine: (line: Line, status?: number) => lines.push(status ?? line),
  };
  const stop = followPoll('q', listener, { base });
  t.teardown(stop);
  await eventually('the refusal', async () => (lines[0] === 404 ? true : undefined));
  await first.openPoll('q');
  await eventually('a result', async () => results[0]);
  const httpPort = String(first.pollcast.httpPort);
  await first.stop();
  await eventually('the loss of the stream', async () => (lines.at(-1) === 'lost' ? true : undefined));
  const second = await stage(t, { httpPort }, first.directory);
  await (await second.device('d')).vote('vote/q', 'a');
  await eventually('the vote', async () => (results.at(-1)?.ballots === 1 ? true : undefined));
  stop();
  const countBefore = results.length;
  await (await second.device('e')).vote('vote/q', 'a');
  await second.resultAfter('q', 2);
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.equal(results.length, countBefore, 'no result arrives after the stream has been stopped');
});

t.test('one stream can follow several polls and show an operator hidden results', async (t) => {
  const s = await stage(t);
  await s.openPoll('a', { visibility: 'operator' });
  await s.openPoll('b');
  const seen = new Map<string, Result>();
  const headers = s.operator;
  t.teardown(
    followPolls(['a', 'b'], { onResult: (result) => seen.set(result.poll, result) }, { base: s.http, headers }),
  );
  await (await s.device('d')).vote('vote/a', 'a');
  await eventually('the vote', async () => (seen.get('a')?.ballots === 1 ? true : undefined));
  t.equal(seen.get('b')?.ballots, 0);
});

t.test('a room is followed from poll to poll', async (t) => {
  const s = await stage(t);
  const rooms: (string | null)[] = [];
  const results: Result[] = [];
  const listener = {
    onResult: (result: Result) => results.push(result),
    onRoom: (poll: string | null) => rooms.push(poll),
  };
  t.teardown(followRoom('hall', listener, { base: s.http }));
  await eventually('the empty room', async () => (rooms[0] === null ? true : undefined));
  await s.openPoll('first', { room: 'hall' });
  await eventually('the first poll', async () => results.find(({ poll }) => poll === 'first'));
  t.equal((await s.call('GET', '/api/rooms/hall')).body.poll, 'first');
  await s.call('POST', '/api/polls/first/close', { operator: true });
  await s.openPoll('second', { room: 'hall' });
  await (await s.device('d')).vote('vote/room/hall', 'c');
  await eventually('a vote in the second poll', async () =>
    results.find(({ poll, ballots }) => poll === 'second' && ballots === 1),
  );
  t.same(rooms, [null, 'first', 'second']);
  await s.call('POST', '/api/polls/second/close', { operator: true });
  await s.call('DELETE', '/api/polls/second', { operator: true });
  await eventually('the room to return to the first poll', async () => (rooms.at(-1) === 'first' ? true : undefined));
  t.equal((await s.call('GET', '/api/rooms/no%20room/stream')).status, 400);
});
