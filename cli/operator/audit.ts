import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { type BundleReport, verifyBundle } from '../../core/audit/bundle.ts';
import type { Result } from '../../core/voting/result.ts';
import { action, Client, ClientError, type ClientFlags, print, withClientFlags } from './client.ts';
import { accountingLine } from './picture.ts';
import { pathOf, save } from './poll.ts';

/** How long dashboards may take to serve the same result, ms, and how often it is looked. */
const FOLLOW_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 250;

interface RecountAnswer {
  readonly poll: string;
  readonly round: number;
  readonly agrees: boolean;
  readonly compared: readonly string[];
  readonly differences: readonly string[];
  readonly accounting: NonNullable<Result['accounting']>;
}

/** Adds `pollcast recount` and `pollcast audit …`. */
export function addAudit(program: Command): void {
  withClientFlags(
    program
      .command('recount <poll>')
      .description('Count a round again from its log and compare with all that shows it'),
  )
    .option('--round <number>', 'an earlier round')
    .addHelpText('after', '\nSeveral dashboards: --http http://a:8080,http://b:8080; each must serve the same result.')
    .action(action(recount));

  const audit = program.command('audit').description('Take a round’s log away, and check it anywhere');
  withClientFlags(
    audit.command('export <poll>').description('The log of a round, hash-chained, and what follows from it'),
  )
    .option('--round <number>', 'an earlier round')
    .option('-o, --output <file>', 'where to; default standard output')
    .action(
      action(async (id: string, flags: ClientFlags & { round?: string; output?: string }) => {
        await save(await Client.of(flags), pathOf(id, 'audit', flags.round), flags.output);
      }),
    );

  audit
    .command('verify <file>')
    .description('Check a bundle: its chain, and that its log gives its result. Needs no server')
    .option('--json', 'print JSON, for programs')
    .action(action(verify));
}

/** False when something differs. */
async function recount(id: string, flags: ClientFlags & { round?: string }): Promise<boolean> {
  const clients = await Promise.all(flags.http.split(',').map((http) => Client.of({ ...flags, http })));
  const [first, ...others] = clients as [Client, ...Client[]];
  const answer = (await first.json('POST', pathOf(id, 'recount', flags.round))) as RecountAnswer;
  const differences = [...answer.differences];
  for (const other of others) {
    if (!(await serveTheSame(first, other, pathOf(id, 'result', flags.round)))) {
      differences.push(`${other.base} serves another result than ${first.base}`);
    }
  }
  const agrees = answer.agrees && differences.length === 0;
  const compared = others.length > 0 ? [...answer.compared, `${clients.length} dashboards`] : answer.compared;
  print(flags, { ...answer, agrees, compared, differences }, () =>
    [
      `  ${answer.poll}, round ${answer.round}: compared with ${compared.join(', ')}`,
      accountingLine(answer),
      ...differences.map((difference) => `  ! ${difference}`),
      agrees ? '  AGREES' : '  DIFFERS',
    ].join('\n'),
  );
  return agrees;
}

/** Whether two dashboards serve the same, now or soon: one may be a moment behind. */
async function serveTheSame(one: Client, other: Client, path: string): Promise<boolean> {
  const endMs = performance.now() + FOLLOW_LIMIT_MS;
  for (;;) {
    if ((await one.text(path)) === (await other.text(path))) return true;
    if (performance.now() > endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function verify(file: string, flags: { json?: boolean }): Promise<boolean> {
  const source = createReadStream(file, 'utf8');
  const lines = createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY });
  const failed = new Promise<never>((_, reject) => {
    source.once('error', (error) => reject(new ClientError(`${file}: cannot be read (${error.message})`)));
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
      ? '  VERIFIED: the log gives this result; compare the last hash with the one that was published'
      : '  NOT VERIFIED',
  ].join('\n');
}
