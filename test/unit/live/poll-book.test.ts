import t from 'tap';
import { PollBook } from '../../../core/live/poll-book.ts';
import { createLog } from '../../../core/runtime/log.ts';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';

t.test('a room is known as long as a poll is in it, be it a draft', async (t) => {
  const store = await EmbeddedStore.open({ directory: t.testdir(), partitions: 1 });
  t.teardown(() => store.close());
  const polls = await PollBook.open(store.registry, createLog('silent'));
  const put = async (poll: string, room: string | undefined, deleted = false) => {
    const { version = 0 } = (await store.registry.get<Poll>('polls', poll)) ?? {};
    const value = { definition: { poll, ...(room ? { room } : {}) }, round: 0, status: 'draft', deleted };
    await store.registry.put('polls', poll, value as unknown as Poll, version);
    await polls.refresh(poll);
  };
  const rooms = () => ['a', 'b'].filter((room) => polls.hasRoom(room)).join();
  t.equal(rooms(), '');
  await put('q', 'a');
  await put('r', 'a');
  t.equal(rooms(), 'a');
  await put('q', 'b');
  t.equal(rooms(), 'a,b');
  await put('r', undefined);
  t.equal(rooms(), 'b');
  await put('r', 'b');
  await put('q', 'b', true);
  t.equal(rooms(), 'b');
  await put('q', 'b', true);
  await put('r', 'b', true);
  t.equal(rooms(), '');
  await put('r', 'a');
  t.equal(rooms(), 'a', 'a poll that was deleted may be created again');
  await polls.close();
});
