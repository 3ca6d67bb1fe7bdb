import type { Command } from 'commander';
import type { RepairOutcome } from '../app/recovery/repair.ts';
import { environmentSettings } from '../core/config/settings.ts';
import { EXIT } from './exit.ts';

interface Flags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** Adds `pollcast repair`. */
export function addRepair(program: Command): void {
  const { variable, fallback } = environmentSettings.dataDir;
  program
    .command('repair')
    .description('Rebuild a lost or damaged state from the vote log, or export what is readable of a damaged vote log')
    .option(
      '--data-dir <value>',
      `the data directory, which no process may be using (${variable}, default: ${fallback})`,
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nNo file is overwritten or deleted: a damaged one is moved aside.')
    .action(run);
}

async function run({ dataDir, json }: Flags): Promise<void> {
  const { variable, fallback } = environmentSettings.dataDir;
  const directory = dataDir ?? process.env[variable] ?? fallback;
  try {
    const { repair } = await import('../app/recovery/repair.ts');
    const outcome = await repair(directory);
    process.stdout.write(json ? `${JSON.stringify(outcome)}\n` : textOf(outcome));
    // Without a sound log, Pollcast does not start.
    if (outcome.is === 'exported') process.exitCode = EXIT.failed;
  } catch (error) {
    process.stderr.write(`pollcast: ${(error as Error).message}\n`);
    process.exitCode = EXIT.failed;
  }
}

function textOf(outcome: RepairOutcome): string {
  if (outcome.is === 'sound') return 'log.lmdb and state.lmdb are sound; nothing was changed\n';
  if (outcome.is === 'rebuilt') {
    const { why, polls, kept, areOld, areIncomplete, uncounted, unreadable, aside } = outcome;
    const others = Object.entries(kept).filter(([collection]) => collection !== 'polls');
    const found = others.map(([collection, count]) => `${count} ${collection}`).join(', ') || 'nothing else';
    return [
      `state.lmdb was rebuilt (${why})`,
      `  from the log: ${polls} polls; votes are counted again at the next start`,
      ...uncounted.map(
        ({ poll, round }) =>
          `  its opening is no longer in the log, so it will show no votes or too few: poll ${poll}, round ${round}`,
      ),
      ...(unreadable === 0
        ? []
        : [
            `  ${unreadable} entries of the log cannot be read; "pollcast log dead" lists damaged ones after the start`,
          ]),
      `  from what was left of it: ${found}`,
      ...(areOld ? ['  some of these may be out of date, or have been removed: check the list of devices'] : []),
      ...(areIncomplete ? ['  some documents could not be read: polls, devices or others may be missing'] : []),
      ...(kept.devices
        ? []
        : ['  registered devices are lost: import them again, or restore state.lmdb from a backup']),
      ...(aside === undefined ? [] : [`  the damaged file is now ${aside}`]),
      'Pollcast can be started.\n',
    ].join('\n');
  }
  const { why, entries, missing, file } = outcome;
  return [
    `log.lmdb is damaged: ${why}`,
    `  ${entries} entries can be read; they were exported to ${file}`,
    ...missing.map(({ partition, from, to }) => `  partition ${partition}: entries ${from} to ${to} are missing`),
    ...(missing.length === 0
      ? []
      : [
          '  appends that were refused, such as when the disk was full, leave gaps in the numbers, too: nothing is lost then',
        ]),
    '  entries after the last readable one of a partition may be missing, too',
    'log.lmdb was not changed. Restore it and state.lmdb from the same backup, or choose another directory.\n',
  ].join('\n');
}
