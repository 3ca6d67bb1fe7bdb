// Writes to a store, and says on standard output what has been acknowledged. power.test.ts records its system calls.
import { writeSync } from 'node:fs';
import { EmbeddedStore } from '../../../core/store/embedded/store.ts';
import { START } from '../../../core/store/offset.ts';
import { commitOf, votes } from '../../contract/samples.ts';

const [directory = '', entries = ''] = process.argv.slice(2);
const PARTITIONS = 2;
const store = await EmbeddedStore.open({ directory, partitions: PARTITIONS });
writeSync(1, 'open\n');
const counted = Array.from({ length: PARTITIONS }, () => START);

for (let i = 1; i <= Number(entries); i++) {
  await Promise.all(
    counted.map(async (at, partition) => {
      const offset = await store.log.append(partition, votes(i, `d${i}-${'x'.repeat(i % 7 === 0 ? 9_000 : 100)}`));
      // Written like an acknowledgement: the trace has it in its place among the writes and syncs.
      writeSync(1, `stored ${partition} ${i} ${offset}\n`);
      if (i % 3 === 0 && (await store.counts.commit(commitOf(partition, at, offset)))) {
        counted[partition] = offset;
        writeSync(1, `counted ${partition} ${i} ${offset}\n`);
      }
      if (i % 20 === 0) await store.log.trim(partition, 0, offset);
    }),
  );
}
process.kill(process.pid, 'SIGKILL');
