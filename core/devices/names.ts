import type { Registry } from '../store/store.ts';
import type { Device } from './device.ts';
import type { Nicknames } from './nicknames.ts';

/** What people call a voter; undefined if nothing but the id is known. */
export type NameOf = (voter: string) => string | undefined;

/**
 * The names of voters in polls whose ballots carry the ids of their voters: the label of a device, the nickname of a guest, and
 * for a mandate the name of the device that carries it.
 */
export async function readNames(registry: Registry, nicknames: Nicknames): Promise<NameOf> {
  const devices = await registry.list<Device>('devices');
  const labels = new Map(devices.map(({ id, value }) => [id, value.label]));
  const guests = await nicknames.all();
  return (voter) => {
    const [device = '', mandate] = voter.split('/', 2);
    const name = labels.get(device) ?? guests.get(device)?.nickname;
    return mandate === undefined ? name : name && `${name} (${mandate})`;
  };
}
