import type { Command } from 'commander';
import type { AuditRecord } from '../../client/answers.ts';
import type { ApiClient } from '../../client/api.ts';
import { action, type ClientFlags, clientOf, print, UsageError, withClientFlags } from './flags.ts';
import { table } from './table.ts';

/** The number of records read at a time, and shown unless the command says otherwise. */
const PAGE = 500;
const SHOWN = 50;

interface TrailFlags extends ClientFlags {
  readonly limit: string;
  readonly check?: boolean;
}

/** Adds `pollcast audit trail`. */
export function addTrail(audit: Command): void {
  withClientFlags(audit.command('trail').description('Show what operators did and what was refused, newest first'))
    .option('--limit <number>', 'how many records', String(SHOWN))
    .option('--check', 'read the whole trail, and check its chain of hashes here')
    .action(action(async (flags: TrailFlags) => (flags.check ? check(flags) : show(flags))));
}

async function show(flags: TrailFlags): Promise<void> {
  const wanted = Number(flags.limit);
  if (!Number.isSafeInteger(wanted) || wanted < 1) throw new UsageError('--limit: expected a whole number above 0');
  const records = await read(await clientOf(flags), wanted);
  print(flags, records, (all) =>
    table(
      ['number', 'at', 'who', 'role', 'action', 'target', 'from', 'outcome', 'before', 'after'],
      all.map(({ number, at, who, issuer, role, action, target, from, outcome, code, before, after }) => {
        const person = issuer === undefined ? who : `${who} ${issuer}`;
        return [number, at, person, role, action, target, from, code ?? outcome, before, after];
      }),
    ),
  );
}

/** Returns false if the hashes do not fit. */
async function check(flags: TrailFlags): Promise<boolean> {
  const { TrailCheck } = await import('../../core/audit/trail/record.ts');
  const records = await read(await clientOf(flags), Number.POSITIVE_INFINITY);
  const trail = new TrailCheck();
  for (const record of records.toReversed()) trail.add(record);
  const report = trail.report();
  const { intact, problems, records: count, end } = report;
  print(flags, report, () =>
    [
      `  ${count} records, the last one is number ${end.number}`,
      `  last hash ${end.hash || 'none'}`,
      ...problems.map((problem) => `  ! ${problem}`),
      intact ? '  INTACT: no record was changed, removed or inserted' : '  NOT INTACT',
    ].join('\n'),
  );
  return intact;
}

/** The newest records, newest first. */
async function read(client: ApiClient, wanted: number): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  let before: number | undefined;
  while (records.length < wanted) {
    const page = await client.trail(before, Math.min(PAGE, wanted - records.length));
    records.push(...page.records);
    if (page.next === null) break;
    before = page.next;
  }
  return records;
}
