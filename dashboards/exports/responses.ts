import type { ResponseLine } from '../../client/answers.ts';
import { type Device, electorOf } from '../../core/devices/device.ts';
import type { Store } from '../../core/store/store.ts';
import { votersOf } from '../../core/voting/poll/electorate.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import { ballotsOf } from './ballots.ts';

/** Which registered voters have answered in the poll’s round, and how many other voters have answered. */
export async function responsesOf(store: Store, poll: Poll): Promise<{ responses: ResponseLine[]; others: number }> {
  const { definition, round } = poll;
  const answered = new Set<string>();
  for await (const { voter } of ballotsOf(store, definition.poll, round)) answered.add(voter);
  const devices = await store.registry.list<Device>('devices');
  const responses = devices
    .map(({ value }) => value)
    .sort((a, b) => (a.device < b.device ? -1 : 1))
    .flatMap((device) =>
      votersOf(electorOf(device), definition).map(({ voter, group }) => ({
        voter,
        device: device.device,
        label: (voter === device.device ? device.label : undefined) ?? null,
        group: group ?? device.group ?? null,
        answered: answered.delete(voter),
      })),
    );
  return { responses, others: answered.size };
}
