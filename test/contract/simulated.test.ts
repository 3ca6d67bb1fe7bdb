import t from 'tap';
import { Database } from '../simulation/store/database.ts';
import { Disk } from '../simulation/store/disk.ts';
import { StoreServer } from '../simulation/store/server.ts';
import { SimulatedStore } from '../simulation/store/store.ts';
import { World } from '../simulation/world/world.ts';
import { storeContract } from './contract.ts';
import { CONTRACT_PARTITIONS } from './subject.ts';

// The simulation proves nothing unless its stores keep the same promises as the real ones.
t.test('the simulated store that processes share', async (t) => {
  storeContract(t, async (t) => {
    const world = runningUntilEnd(t);
    const server = new StoreServer(world, new Database(CONTRACT_PARTITIONS));
    return { open: async () => SimulatedStore.shared(world, world.outside, server).store };
  });
});

t.test('the simulated store on a disk', async (t) => {
  storeContract(t, async (t) => {
    const world = runningUntilEnd(t);
    const disk = new Disk(world, new Database(CONTRACT_PARTITIONS));
    return { open: async () => SimulatedStore.local(world, world.outside, disk) };
  });
});

/** A world whose time passes until a test is over. */
function runningUntilEnd(t: { teardown(end: () => Promise<void>): void }): World {
  const world = new World(1);
  let isOver = false;
  const keepAlive = (): void => void setTimeout(keepAlive, 1_000);
  const running = world.run(() => isOver);
  keepAlive();
  t.teardown(async () => {
    isOver = true;
    await running;
  });
  return world;
}
