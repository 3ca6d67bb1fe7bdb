import type { Test } from 'tap';
import { auditTrailContract } from './audit-trail.ts';
import { changesContract } from './changes.ts';
import { checkpointsContract } from './checkpoints.ts';
import { countsContract } from './counts.ts';
import { linesContract } from './lines.ts';
import { logContract } from './log.ts';
import { registryContract } from './registry.ts';
import type { ContractTest, StoreUnderTest } from './subject.ts';
import { trailsContract } from './trails.ts';

/**
 * The promises of core/store/store.ts as tests, which every implementation must pass unchanged.
 *
 * @param make called once per test, to provide empty data
 */
export function storeContract(t: Test, make: (t: Test) => Promise<StoreUnderTest>): void {
  const test: ContractTest = (name, body) =>
    void t.test(name, async (t) => {
      const under = await make(t);
      const store = await under.open();
      try {
        await body(t, store, under);
      } finally {
        await store.close();
      }
    });
  logContract(test);
  checkpointsContract(test);
  countsContract(test);
  changesContract(test);
  registryContract(test);
  trailsContract(test);
  linesContract(test);
  auditTrailContract(test);
}
