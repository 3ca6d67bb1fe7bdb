import { type Command, InvalidArgumentError } from 'commander';
import type { SeenEntry } from '../app/recovery/show-log.ts';
import { environmentSettings } from '../core/config/settings.ts';
import { entryText } from '../core/voting/count/entries/json.ts';
import type { Vote } from '../core/voting/count/vote.ts';
import { EXIT } from './exit.ts';
import { type PlaceFlags, placeOf, withPlace } from './store.ts';

interface Flags extends PlaceFlags {
  readonly dataDir?: string;
  readonly partition?: string;
  readonly limit: string;
  readonly json?: boolean;
}

/** Adds `pollcast log show`. It reads the store itself, because what it shows is who voted for what. */
export function addLogShow(log: Command): void {
  const { variable, fallback } = environmentSettings.dataDir;
  const show = log
    .command('show')
    .description('Print the entries of the vote log, with who voted for what; reads the store itself, not the API')
    .option('--data-dir <value>', `the data directory (${variable}, default: ${fallback}), unless --redis-url is given`)
    .option('--partition <number>', 'only this partition')
    .option('--limit <number>', 'how many entries at most', '100')
    .option('--json', 'print each entry as a line of JSON');
  withPlace(show).action(async (flags: Flags) => {
    try {
      await run(flags);
    } catch (error) {
      process.stderr.write(`pollcast: ${(error as Error).message}\n`);
      process.exitCode = error instanceof InvalidArgumentError ? EXIT.misconfigured : EXIT.failed;
    }
  });
}

async function run(flags: Flags): Promise<void> {
  const limit = natural('--limit', flags.limit);
  const only = flags.partition === undefined ? undefined : natural('--partition', flags.partition);
  let shown = 0;
  const see = (seen: SeenEntry): boolean => {
    if (only !== undefined && seen.partition !== only) return true;
    if (shown++ >= limit) return false;
    process.stdout.write(`${flags.json ? jsonLine(seen) : lines(seen).join('\n')}\n`);
    return true;
  };
  const { seeDirectory, seeRedis } = await import('../app/recovery/show-log.ts');
  const { dataDir, redisUrl } = environmentSettings;
  const isRedis = flags.dataDir === undefined && (flags.redisUrl ?? process.env[redisUrl.variable] ?? '') !== '';
  if (isRedis) await seeRedis(placeOf(flags), see);
  else seeDirectory(flags.dataDir ?? process.env[dataDir.variable] ?? dataDir.fallback, see);
}

function natural(flag: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`${flag} must be a number, not ${text}`);
  return Number(text);
}

function jsonLine({ partition, offset, bytes, entry }: SeenEntry): string {
  const place = `{"partition":${partition},"offset":"${offset}","bytes":${bytes}`;
  if (entry.type === 'unreadable') return `${place},"unreadable":${JSON.stringify(entry.why)}}`;
  return entry.type === 'newer' ? `${place},"newer":${entry.format}}` : `${place},"entry":${entryText(entry)}}`;
}

function lines({ partition, offset, bytes, entry }: SeenEntry): string[] {
  const place = `${partition} ${offset} (${bytes} bytes)`;
  if (entry.type === 'unreadable') return [`${place}: cannot be read: ${entry.why}`];
  if (entry.type === 'newer') return [`${place}: in format ${entry.format}, which is newer`];
  const at = new Date(entry.atMs).toISOString();
  if (entry.type !== 'votes') return [`${place}: ${at} ${entry.type} ${entry.poll}/${entry.round}`];
  const { producer, sequence, rounds, refused } = entry;
  return [
    `${place}: ${at} votes, entry ${sequence} of ${producer}${countsOf(refused)}`,
    ...rounds.flatMap(({ poll, round, votes, rejected }) => [
      `  ${poll}/${round}: ${votes.length} ${votes.length === 1 ? 'vote' : 'votes'}${countsOf(rejected)}`,
      ...Array.from(votes, (vote) => `    ${voteLine(vote)}`),
    ]),
  ];
}

function voteLine({ device, choice, n, t, connection, packet, dup, mayRepeat }: Vote): string {
  const facts = Object.entries({ n, t, connection, packet }).filter(([, value]) => value !== undefined);
  return [
    device,
    choice === '' ? '(withdrawn)' : choice,
    ...facts.map(([name, value]) => `${name}=${value}`),
    ...(dup ? ['DUP'] : []),
    ...(mayRepeat ? ['may repeat'] : []),
  ].join(' ');
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([reason, count]) => `, ${count} rejected: ${reason}`)
    .join('');
}
