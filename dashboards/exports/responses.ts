import type { ResponseLine, ResponsesAnswer } from '../../client/answers.ts';
import { type Device, electorOf } from '../../core/devices/device.ts';
import { readNames } from '../../core/devices/names.ts';
import type { Nicknames } from '../../core/devices/nicknames.ts';
import { votersOf } from '../../core/voting/poll/electorate.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import { type BallotSource, ballotsOf } from './ballots.ts';

/**
 * Which registered voters have answered in the poll’s round, each device followed by its mandates, and which others. Only for
 * polls whose ballots carry the ids of their voters.
 */
export async function responsesOf(
  source: BallotSource,
  nicknames: Nicknames,
  poll: Poll,
): Promise<Omit<ResponsesAnswer, 'poll' | 'round'>> {
  const { store } = source;
  const { definition, round } = poll;
  const answered = new Set<string>();
  for await (const { voter } of ballotsOf(source, definition.poll, round)) answered.add(voter);
  let missing = 0;
  for (let partition = 0; partition < store.log.partitions; partition++) missing += store.ballots.missing(partition);
  const nameOf = await readNames(store.registry, nicknames);
  const devices = await store.registry.list<Device>('devices');
  const responses = devices
    .map(({ value }) => value)
    .sort((a, b) => (a.device < b.device ? -1 : 1))
    .flatMap((device) =>
      votersOf(electorOf(device), definition).map(
        ({ voter, group }): ResponseLine => ({
          voter,
          device: device.device,
          label: nameOf(voter) ?? null,
          mandate: voter.split('/', 2)[1],
          group: group ?? device.group ?? null,
          answered: answered.delete(voter),
        }),
      ),
    );
  const guests = [...answered].flatMap((voter) => {
    const nickname = nameOf(voter);
    return nickname === undefined ? [] : [{ voter, nickname }];
  });
  return {
    responses,
    others: answered.size,
    guests: guests.sort((a, b) => a.nickname.localeCompare(b.nickname)),
    ...(missing > 0 && poll.status !== 'closed' ? { missing } : {}),
  };
}
