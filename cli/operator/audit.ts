import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import type { Result } from '../../client/answers.ts';
import { type ApiClient, pollPath } from '../../client/api.ts';
import type { BundleReport } from '../../core/audit/bundle.ts';
import { fixedPartOf } from '../../core/rounds/recounts/differing.ts';
import { addLogShow } from '../log-show.ts';
import { action, type ClientFlags, clientOf, print, type RoundFlags, UsageError, withClientFlags } from './flags.ts';
import { save } from './output.ts';
import { accountingLine, missingLine } from './polls/result-text.ts';
import { table } from './table.ts';
import { addTrail } from './trail.ts';

/** Time limit in ms for dashboards to serve the same result, and the interval between checks. */
const FOLLOW_LIMIT_MS = 10_000;
const CHECK_EVERY_MS = 250;

/** Adds `pollcast recount`, `pollcast log …` and `pollcast audit …`. */
export function addAudit(program: Command): void {
  withClientFlags(
    program
      .command('recount <poll>')
      .description('Recount a round from its log, and compare the outcome with all published figures'),
  )
    .option('--round <number>', 'an earlier round')
    .addHelpText(
      'after',
      '\nTo check several dashboards: --http http://a:8080,http://b:8080. All must serve the same result.',
    )
    .action(action(recount));

  const log = program.command('log').description('Look into the vote log');
  withClientFlags(
    log
      .command('dead')
      .description('List the entries that could not be read and were set aside; exits with 1 if there are any'),
  ).action(action(dead));
  addLogShow(log);

  const audit = program.command('audit').description('Export the log of a round, and verify it independently');
  withClientFlags(
    audit
      .command('export <poll>')
      .description('Export the hash-chained log of a round and the result that follows from it'),
  )
    .option('--round <number>', 'an earlier round')
    .option('-o, --output <file>', 'output file; default: standard output')
    .action(
      action(async (id: string, flags: RoundFlags & { output?: string }) => {
        const client = await clientOf(flags);
        await save(await client.get(pollPath(id, 'audit', flags.round)), flags.output);
      }),
    );

  addTrail(audit);

  audit
    .command('verify <file>')
    .description('Check that the hash chain of a bundle is intact and that its log gives its result; needs no server')
    .option('--json', 'print JSON')
    .action(action(verify));
}

/** Prints the entries that could not be read. Returns false if there are any. */
async function dead(flags: ClientFlags): Promise<boolean> {
  const entries = await (await clientOf(flags)).deadEntries();
  print(flags, { entries }, () =>
    table(
      ['found', 'partition', 'offset', 'why', 'bytes', 'sha256', 'rounds that lack a part'],
      entries.map(({ foundAt, partition, offset, why, bytes, sha256, rounds, wasCounted }) => {
        return [
          foundAt,
          partition,
          offset,
          wasCounted ? `${why} (after it was counted)` : why,
          bytes,
          sha256.slice(0, 16),
          rounds.join(', ') || 'none',
        ];
      }),
    ),
  );
  return entries.length === 0;
}

/** Returns false if anything differs. */
async function recount(id: string, flags: RoundFlags): Promise<boolean> {
  const clients = await Promise.all(flags.http.split(',').map((http) => clientOf({ ...flags, http })));
  const [first, ...others] = clients as [ApiClient, ...ApiClient[]];
  const answer = await first.recount(id, flags.round);
  const diverging: string[] = [];
  for (const other of others) {
    if (!(await serveTheSame(first, other, pollPath(id, 'result', flags.round)))) {
      diverging.push(`${other.base} and ${first.base} serve different results`);
    }
  }
  const differences = [...answer.differences, ...diverging];
  const agrees = answer.agrees && diverging.length === 0;
  const compared = others.length > 0 ? [...answer.compared, `${clients.length} dashboards`] : answer.compared;
  print(flags, { ...answer, agrees, compared, differences }, () =>
    [
      `  ${answer.poll}, round ${answer.round}: compared with ${compared.join(', ')}`,
      accountingLine(answer),
      ...(answer.missing ? [missingLine(answer.missing)] : []),
      ...differences.map((difference) => `  ! ${difference}`),
      verdictOf(agrees, differences),
    ].join('\n'),
  );
  return agrees;
}

function verdictOf(agrees: boolean, differences: readonly string[]): string {
  if (!agrees) return '  DIFFERS';
  if (differences.length === 0) return '  AGREES';
  return '  AGREES: the count is right; only the time series (for graphs) differs, and may still be catching up';
}

/** Compares two dashboards until their responses are the same or the time limit is reached, because one may lag behind. */
async function serveTheSame(one: ApiClient, other: ApiClient, path: string): Promise<boolean> {
  const endMs = performance.now() + FOLLOW_LIMIT_MS;
  for (;;) {
    const [a, b] = await Promise.all([one, other].map(async (client) => JSON.parse(await client.text(path)) as Result));
    if (a && b && isDeepStrictEqual(comparable(a), comparable(b))) return true;
    if (performance.now() > endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, CHECK_EVERY_MS));
  }
}

/** The whole result; once it is final, the part that cannot change: votes still arrive after the close, and are rejected. */
function comparable(result: Result): object {
  return result.final ? fixedPartOf(result) : result;
}

async function verify(file: string, flags: { json?: boolean }): Promise<boolean> {
  // Loaded on demand, so that other commands start faster. It must be loaded before the file is opened, because lines that are
  // read in the meantime would be lost.
  const { verifyBundle } = await import('../../core/audit/bundle.ts');
  const source = createReadStream(file, 'utf8');
  const lines = createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY });
  const failed = new Promise<never>((_, reject) => {
    source.once('error', (error) => reject(new UsageError(`${file}: cannot be read (${error.message})`)));
  });
  const report = await Promise.race([verifyBundle(lines), failed]);
  print(flags, report, reportText);
  return report.problems.length === 0;
}

function reportText({ problems, poll, round, entries, hash, outcome }: BundleReport): string {
  return [
    `  ${poll}, round ${round}: ${entries} log entries`,
    ...(outcome ? [accountingLine(outcome)] : []),
    `  last hash ${hash}`,
    ...problems.map((problem) => `  ! ${problem}`),
    problems.length === 0
      ? '  VERIFIED: the log gives this result; compare the last hash with the published one'
      : '  NOT VERIFIED',
  ].join('\n');
}
