import { type Command, InvalidArgumentError } from 'commander';
import type { StorePlace } from '../app/recovery/lost-store.ts';
import { environmentSettings, flagOf } from '../core/config/settings.ts';
import { EXIT } from './exit.ts';

/** The settings that say which store it is. */
const NAMES = ['redisUrl', 'redisPrefix', 'sentinelUsername', 'sentinelPassword'] as const;
/** The flags that say which store it is. */
export type PlaceFlags = Partial<Record<(typeof NAMES)[number] | 'partitions', string>>;

/** Adds `pollcast store`, for the operators of Redis: it connects to Redis itself, because no process may be able to. */
export function addStore(program: Command): void {
  const store = program
    .command('store')
    .description('What Redis has of a deployment, and what to do when data is gone');
  withPlace(store.command('show').description('Show whether all data is there')).action(async (flags: PlaceFlags) => {
    await run(async () => {
      const { examineStore } = await import('../app/recovery/lost-store.ts');
      const { mark, partitions, polls, devices, gone } = await examineStore(placeOf(flags));
      const lines = [
        `Store       ${mark ?? 'none: Redis has no data of this deployment'}`,
        `Partitions  ${partitions ?? 'unknown'}`,
        `Polls       ${polls}`,
        `Devices     ${devices}`,
        `Gone        ${gone.length === 0 ? 'nothing' : gone.join(', ')}`,
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
      if (gone.length > 0) process.exitCode = EXIT.failed;
    });
  });
  withPlace(
    store
      .command('accept')
      .description('Go on with what is left after Redis has lost data: running processes acknowledge votes again'),
  ).action(async (flags: PlaceFlags) => {
    await run(async () => {
      const { acceptLostStore } = await import('../app/recovery/lost-store.ts');
      const shortened = await acceptLostStore(placeOf(flags));
      const what =
        shortened.length === 0
          ? ''
          : `; the log of partition ${shortened.join(', ')} goes on after its last counted entry`;
      process.stdout.write(
        `The store is accepted as it is${what}. Running processes go on with it within a few seconds.\n`,
      );
    });
  });
}

export function withPlace(command: Command): Command {
  for (const name of NAMES) {
    const { variable, fallback, description } = environmentSettings[name];
    const otherwise = fallback === '' ? '' : `, default: ${fallback}`;
    command.option(`${flagOf(variable)} <value>`, `${description} (${variable}${otherwise})`);
  }
  // Never from the environment or a default: a wrong number that is accepted lets devices vote twice.
  return command.option(
    '--partitions <value>',
    'number of partitions with which the deployment was created; needed if Redis has lost it, otherwise it replaces what Redis has',
  );
}

export function placeOf(flags: PlaceFlags): StorePlace {
  const text = (name: (typeof NAMES)[number]) =>
    flags[name] ?? process.env[environmentSettings[name].variable] ?? environmentSettings[name].fallback;
  const url = text('redisUrl');
  if (url === '')
    throw new InvalidArgumentError('set POLLCAST_REDIS_URL or --redis-url to the Redis of the deployment');
  return {
    url: environmentSettings.redisUrl.parse(url),
    prefix: environmentSettings.redisPrefix.parse(text('redisPrefix')),
    partitions: flags.partitions === undefined ? undefined : environmentSettings.partitions.parse(flags.partitions),
    sentinelUsername: text('sentinelUsername'),
    sentinelPassword: text('sentinelPassword'),
  };
}

async function run(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`pollcast: ${(error as Error).message}\n`);
    process.exitCode = error instanceof InvalidArgumentError ? EXIT.misconfigured : EXIT.failed;
  }
}
