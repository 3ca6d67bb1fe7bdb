import { type Command, InvalidArgumentError, Option } from 'commander';
import { METHOD_NAMES } from '../../core/ballot-files/methods.ts';
import { FORMAT_NAMES } from '../../core/ballot-files/settings.ts';
import { collect } from '../operator/flags.ts';
import { HELP } from './help.ts';
import type { Flags, TieBreak } from './run.ts';

/** Adds `pollcast count`. */
export function addCount(program: Command): void {
  const words = (flags: string, description: string, choices: readonly string[]) =>
    new Option(flags, description).choices(choices);
  program
    .command('count <file>')
    .description('Count a ballot file, without a server; - reads standard input')
    .addOption(
      words('--format <format>', 'format of the file; default: by its ending, or its first line', FORMAT_NAMES),
    )
    .addOption(
      words('--method <method>', 'default: stv for several seats, star for grades, otherwise irv', METHOD_NAMES),
    )
    .option('--seats <number>', 'number of candidates to elect; default: as the file says, or 1', whole(1))
    .option('--until <end>', 'for irv: majority (default), or two to go on until two candidates are left')
    .option('--rules <rules>', 'for stv: scottish (default), wigm or meek')
    .option('--quota <quota>', 'for stv by wigm: droop (default) or hare')
    .option('--decimals <number>', 'for stv by wigm: decimal places of transfer values, 0 to 6; default 4', whole(0))
    .option('--completion <rule>', 'for condorcet, if nobody beats all others: ranked-pairs (default) or schulze')
    .option('--variant <variant>', 'for borda: standard (default), modified, averaged or dowdall')
    .option('--tie-break <rule>', 'none (default), order (the file’s order of candidates), or lot:SEED', tieBreak)
    .addOption(
      new Option(
        '--lot <names>',
        'a lot that was drawn: level candidates separated by commas, the most favoured first; may be repeated',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('--withdraw <name>', 'leave out a candidate who withdrew; may be repeated')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(new Option('--exclude <name>', 'the same as --withdraw').argParser(collect).default([]).hideHelp())
    .option('--json', 'print JSON')
    .optionsGroup('Tables (CSV):')
    .option('--columns <columns>', 'columns with votes, by number or header: 4-8, or "Rank 1,Rank 2"')
    .addOption(
      words('--cells <what>', 'what cells hold: names of candidates, or ranks; default: by the headers', [
        'names',
        'ranks',
      ]),
    )
    .option('--candidates <names>', 'the only names that may occur, separated by commas')
    .addOption(
      words(
        '--overvotes <rule>',
        'at an overvote: end the ballot (default), skip the rank, or rank its candidates equally',
        ['exhaust', 'skip', 'equal'],
      ),
    )
    .option(
      '--max-skipped <number>',
      'consecutive ranks that may be left out before a ballot ends, or "all"; default 1',
      skips,
    )
    .addOption(
      words('--repeats <rule>', 'if a candidate is ranked again: ignore that rank (default), or end the ballot', [
        'ignore',
        'exhaust',
      ]),
    )
    .option('--overvote-label <text>', 'text of a cell with an overvote; default overvote')
    .option('--skipped-label <text>', 'text of a cell for a skipped rank, besides an empty cell; default undervote')
    .option('--delimiter <text>', 'separates several candidates in one cell')
    .option('--max-grade <number>', 'for star and score: the highest grade; default 5', whole(1))
    .addHelpText('after', HELP)
    .action(async (file: string, flags: Flags) => {
      // Loaded on demand, so that other commands start faster.
      const { count } = await import('./run.ts');
      await count(file, flags);
    });
}

function whole(min: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,6}$/.test(text) && Number(text) >= min) return Number(text);
    throw new InvalidArgumentError(`expected a whole number of at least ${min}.`);
  };
}

function skips(text: string): number {
  return text === 'all' ? Number.POSITIVE_INFINITY : whole(0)(text);
}

function tieBreak(text: string): TieBreak {
  if (text === 'none' || text === 'order') return { tieBreak: text };
  const [, seed] = /^lot:(.+)$/s.exec(text) ?? [];
  if (seed === undefined)
    throw new InvalidArgumentError('expected none, order or lot:SEED; for a lot that was drawn, use --lot.');
  return { tieBreak: 'lot', seed };
}
