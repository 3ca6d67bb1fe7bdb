import { createLog } from '../../core/runtime/log.ts';
import { acceptStore, type StorePlace, type StoreState, storeState } from '../../core/store/redis/guard/accept.ts';

export type { StorePlace };

const log = createLog('silent');

/** What Redis has of a deployment. */
export function examineStore(place: StorePlace): Promise<StoreState> {
  return storeState(place, log);
}

/** Lets the deployment go on with what Redis has. @returns the partitions whose logs had lost entries */
export function acceptLostStore(place: StorePlace): Promise<number[]> {
  return acceptStore(place, log);
}
