import type { Test } from 'tap';
import type { Store } from '../../core/store/store.ts';

/** How many partitions a store under test has. */
export const CONTRACT_PARTITIONS = 3;

/** What the contract tests need from an implementation. */
export interface StoreUnderTest {
  /** Opens a store. The first call in a test gets empty data, and later calls get the same data again. */
  open(): Promise<Store>;
}

/** Defines a test that gets a store without data. The store is closed after the test. */
export type ContractTest = (
  name: string,
  body: (t: Test, store: Store, under: StoreUnderTest) => Promise<void>,
) => void;
