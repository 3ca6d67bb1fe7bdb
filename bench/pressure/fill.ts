import { setTimeout as pause } from 'node:timers/promises';
import { start } from '../../app/pollcast.ts';
import { readConfig } from '../../core/config/config.ts';
import { createLog } from '../../core/runtime/log.ts';
import { VoteColumns } from '../../core/voting/count/entries/columns.ts';
import { partitionOf } from '../../core/voting/count/partition.ts';
import { randomChoice } from '../../devices-sim/kinds.ts';
import { seeded } from '../../devices-sim/random.ts';

/** Votes in one entry of the log. */
const VOTES_PER_ENTRY = 1_000;

/** Creates the polls and fills the ranking, with the same code as the server but in this process. */
export async function fill(directory: string, token: string, ballots: number): Promise<void> {
  const log = createLog('silent');
  const flags = { mqttPort: '0', httpPort: '0', operatorToken: token, dataDir: directory };
  const pollcast = await start('all', readConfig(flags, {}), log);
  const { store, dashboard, polls } = pollcast;
  const keys = [...'abcdefgh'];
  const options = keys.map((key) => ({ key, label: `Option ${key}` }));
  for (const kind of ['single', 'pulse', 'ranking'] as const) {
    const poll = kind === 'single' ? 'steady' : kind;
    await dashboard?.repository.create({ poll, title: 'Q?', kind, options, visibility: 'live' });
    await dashboard?.rounds.openRound(poll, 'draft');
  }
  const definition = polls.get('ranking')?.definition;
  if (!definition) throw new Error('the ranking was not created');
  const random = seeded(1);
  const { partitions } = store.log;
  const byPartition: { device: string; choice: string }[][] = Array.from({ length: partitions }, () => []);
  for (let i = 0; i < ballots; i++) {
    const device = `filled-${i}`;
    byPartition[partitionOf(device, partitions)]?.push({ device, choice: randomChoice(definition, random) });
  }
  for (const [partition, all] of byPartition.entries()) {
    for (let at = 0, sequence = 1; at < all.length; at += VOTES_PER_ENTRY, sequence++) {
      const round = {
        poll: 'ranking',
        round: 1,
        votes: VoteColumns.of(all.slice(at, at + VOTES_PER_ENTRY)),
        rejected: {},
      };
      const entry = {
        type: 'votes' as const,
        producer: 'fill',
        sequence,
        atMs: Date.now(),
        rounds: [round],
        refused: {},
      };
      await store.log.append(partition, entry);
    }
  }
  const counted = async () => {
    const slices = await Promise.all(Array.from({ length: partitions }, (_, p) => store.counts.slice(p, 'ranking', 1)));
    return slices.reduce((sum, slice) => sum + (slice?.accounting.counted ?? 0), 0);
  };
  while ((await counted()) < ballots) await pause(200);
  await pollcast.stop();
}
