import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import { compareOffsets, type Offset } from '../../../core/store/offset.ts';
import { seeded } from '../../../devices-sim/random.ts';
import { cursor } from '../../contract/samples.ts';
import { pathInCheckout } from '../../support/root.ts';
import { Disk, type Survival } from './disk.ts';
import { type Call, readTrace, STRACE } from './trace.ts';

/** `npm test` writes a few entries, `npm run test:long` many. The seed makes a run repeatable. */
const ENTRIES = Number(process.env.POWER_ENTRIES ?? 14);
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 100_000);
const FILES = ['log.lmdb', 'state.lmdb'];
const PARTITIONS = 2;
const RANDOM_CUTS = 3;
/** In memory, because the simulated disk decides what is kept. */
const ROOM = existsSync('/dev/shm') ? '/dev/shm' : pathInCheckout('build');

t.setTimeout(120_000 + ENTRIES * 5_000);

/** The last entry that was acknowledged, and the last that was counted, by partition. */
type Acknowledged = Record<'stored' | 'counted', Map<number, Offset>>;

t.test(`a power cut at any moment loses no acknowledged entry (CHAOS_SEED=${SEED})`, async (t) => {
  const random = seeded(SEED);
  const calls = record(t.testdir());
  const start = calls.findIndex((call) => call.is === 'said' && call.line === 'open');
  t.ok(start > 0);
  const disk = new Disk(FILES);
  const acknowledged: Acknowledged = { stored: new Map(), counted: new Map() };
  let cuts = 0;
  const lost: string[] = [];
  const room = mkdtempSync(join(ROOM, 'power-'));
  t.teardown(() => rmSync(room, { recursive: true, force: true }));
  for (const [i, call] of calls.entries()) {
    disk.apply(call);
    if (call.is === 'said') note(call.line, acknowledged);
    if (i < start) continue;
    const ways: Survival[] = [() => false];
    if (disk.unsynced > 0) {
      ways.push(() => true);
      for (let n = 0; n < RANDOM_CUTS; n++) {
        // Half of the random cuts keep or lose whole writes, the others single sectors.
        const kept = new Map<unknown, boolean>();
        const isWhole = n % 2 === 0;
        ways.push((write) => {
          if (!isWhole) return random() < 0.5;
          if (!kept.has(write)) kept.set(write, random() < 0.5);
          return kept.get(write) === true;
        });
      }
    }
    for (const survives of ways) {
      const directory = join(room, String(cuts++));
      mkdirSync(directory);
      for (const [name, content] of disk.afterCut(survives)) writeFileSync(join(directory, name), content);
      const problem = await problemIn(directory, acknowledged);
      if (problem) lost.push(`call ${i}: ${problem}`);
      rmSync(directory, { recursive: true });
    }
  }
  t.same(lost.slice(0, 5), []);
  t.equal(acknowledged.stored.get(0), `${ENTRIES}-0`, 'everything was acknowledged');
  t.ok(cuts > ENTRIES * 10, `${cuts} power cuts`);
  t.comment(`${cuts} power cuts, ${calls.length} system calls`);
});

t.test('a disk that ignores syncs is noticed by this test', async (t) => {
  const calls = record(t.testdir());
  const disk = new Disk(FILES);
  const acknowledged: Acknowledged = { stored: new Map(), counted: new Map() };
  for (const call of calls) {
    if (call.is === 'said') note(call.line, acknowledged);
    else if (call.is === 'write') disk.apply({ ...call, isSynced: call.isSynced && call.at < 8_192 });
  }
  const directory = join(t.testdir(), 'cut');
  mkdirSync(directory);
  for (const [name, content] of disk.afterCut(() => false)) writeFileSync(join(directory, name), content);
  t.ok(await problemIn(directory, acknowledged));
});

/** Runs the writer, and returns what it wrote, synced and said. */
function record(directory: string): Call[] {
  const trace = join(directory, 'trace');
  const writer = pathInCheckout('build/test/system/power/writer.child.js');
  const data = join(directory, 'data');
  mkdirSync(data);
  const { stderr } = spawnSync('strace', [...STRACE, '-o', trace, process.execPath, writer, data, String(ENTRIES)]);
  if (!existsSync(trace)) throw new Error(`strace recorded nothing: ${stderr}`);
  return readTrace(readFileSync(trace, 'utf8'), FILES);
}

function note(line: string, acknowledged: Acknowledged): void {
  const [what, partition, , offset] = line.split(' ');
  if (what === 'stored' || what === 'counted') acknowledged[what].set(Number(partition), offset as Offset);
}

/** Opens what a power cut left, as a start does. */
async function problemIn(directory: string, { stored, counted }: Acknowledged): Promise<string | undefined> {
  let store: EmbeddedStore | undefined;
  try {
    store = await EmbeddedStore.open({ directory, partitions: PARTITIONS, reserveBytes: 0 });
    for (const [partition, last] of stored) {
      const all = (await store.log.read(cursor(partition), { limit: 100_000, waitMs: 0 })).get(partition) ?? [];
      const until = all.filter(({ offset }) => compareOffsets(offset, last) <= 0);
      if (until.length !== Number.parseInt(last, 10))
        return `${until.length} entries up to ${last} in partition ${partition}`;
      const wrong = until.find(({ entry }, i) => entry.type !== 'votes' || entry.sequence !== i + 1);
      if (wrong) return `another entry at ${wrong.offset}`;
    }
    for (const [partition, last] of counted) {
      const { offset } = await store.counts.position(partition);
      if (compareOffsets(offset, last) < 0) return `counted up to ${offset} instead of ${last}`;
    }
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await store?.close();
  }
}
