import t from 'tap';
import { Spells } from '../../../core/waiting/spells.ts';

/** Takes at least so long (ms). */
function spin(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

/** Counts turns of the event loop until it is stopped. */
function turns() {
  let now = 0;
  let next = setImmediate(function count() {
    now++;
    next = setImmediate(count);
  });
  return { now: () => now, stop: () => clearImmediate(next) };
}

t.test('all work together gets about 2 ms in a turn, and jobs take turns', async (t) => {
  const spells = new Spells();
  const loop = turns();
  const done: { job: number; turn: number }[] = [];
  const pieces = function* (job: number, count: number): Generator<void> {
    for (let i = 0; i < count; i++) {
      spin(0.5);
      done.push({ job, turn: loop.now() });
      yield;
    }
  };
  const all = Array.from({ length: 20 }, (_, job) => spells.do(pieces(job, job === 0 ? 100 : 1)));
  const took = await Promise.all(all);
  loop.stop();
  t.ok((took[0] as number) >= 50 && (took[1] as number) >= 0.5, `${took}`);
  t.equal(done.length, 119);
  const perTurn = new Map<number, number>();
  for (const { turn } of done) perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
  // Two spells: one before the loop went on for the first time, and one after it.
  t.ok(Math.max(...perTurn.values()) <= 10, `${[...perTurn.values()]}`);
  t.ok(
    done.findLastIndex(({ job }) => job > 0) < 119 - 50,
    'those that need little are done long before the one that needs much',
  );
});

t.test('work begins at once, and what fails does not keep the rest from being done', async (t) => {
  const spells = new Spells();
  const seen: string[] = [];
  const failing = spells.do(
    (function* () {
      yield seen.push('a');
      throw new Error('broken');
    })(),
  );
  t.same(seen, ['a']);
  const nested = spells.do(
    (function* () {
      yield void spells.do([seen.push('given')].values());
      yield seen.push('b');
    })(),
  );
  await t.rejects(failing, { message: 'broken' });
  await nested;
  t.same(seen, ['a', 'given', 'b']);
});
