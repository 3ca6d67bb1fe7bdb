import { type Command, InvalidArgumentError } from 'commander';
import type { StorePlace } from '../app/lost-store.ts';
import { environmentSettings, flagOf, type SettingName } from '../core/config/settings.ts';
import { EXIT } from './exit.ts';

/** The settings that say which store it is. */
const NAMES = ['redisUrl', 'redisPrefix', 'partitions', 'sentinelUsername', 'sentinelPassword'] as const;
type Flags = Partial<Record<(typeof NAMES)[number], string>>;

/** Adds `pollcast store`, for the operators of Redis: it connects to Redis itself, because no process may be able to. */
export function addStore(program: Command): void {
  const store = program
    .command('store')
    .description('What Redis has of a deployment, and what to do when data is gone');
  withPlace(store.command('show').description('Show whether all data is there')).action(async (flags: Flags) => {
    await run(async () => {
      const { examineStore } = await import('../app/lost-store.ts');
      const { mark, polls, devices, gone } = await examineStore(placeOf(flags));
      const lines = [
        `Store    ${mark ?? 'none: Redis has no data of this deployment'}`,
        `Polls    ${polls}`,
        `Devices  ${devices}`,
        `Gone     ${gone.length === 0 ? 'nothing' : gone.join(', ')}`,
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
      if (gone.length > 0) process.exitCode = EXIT.failed;
    });
  });
  withPlace(
    store
      .command('accept')
      .description('Go on with what is left after Redis has lost data: running processes acknowledge votes again'),
  ).action(async (flags: Flags) => {
    await run(async () => {
      const { acceptLostStore } = await import('../app/lost-store.ts');
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

function withPlace(command: Command): Command {
  for (const name of NAMES) {
    const { variable, fallback, description } = environmentSettings[name];
    const otherwise = fallback === '' ? '' : `, default: ${fallback}`;
    command.option(`${flagOf(variable)} <value>`, `${description} (${variable}${otherwise})`);
  }
  return command;
}

function placeOf(flags: Flags): StorePlace {
  const text = (name: SettingName & keyof Flags) =>
    flags[name] ?? process.env[environmentSettings[name].variable] ?? environmentSettings[name].fallback;
  const url = text('redisUrl');
  if (url === '')
    throw new InvalidArgumentError('set POLLCAST_REDIS_URL or --redis-url to the Redis of the deployment');
  return {
    url: environmentSettings.redisUrl.parse(url),
    prefix: environmentSettings.redisPrefix.parse(text('redisPrefix')),
    partitions: environmentSettings.partitions.parse(text('partitions')),
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
