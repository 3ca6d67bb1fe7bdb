import { readFileSync, writeFileSync } from 'node:fs';
import { markdownTable } from '../measuring/tables.ts';
import type { Witnessed } from './witness.child.ts';

/** What was measured of one attack. */
export interface Endured extends Witnessed {
  readonly title: string;
  /** How long the server’s main thread works without a pause (p99), in ms of its processor time. */
  readonly turnMs: number;
  /** The same votes beside a process that takes as much processor time as the attacker, and attacks nobody. */
  readonly beside: Witnessed;
  /** The shares of one core that the attacker and the server took. */
  readonly attackerShare: number;
  readonly serverShare: number;
  /** The most resident memory of the server up to the end of the attack, in MiB. */
  readonly memory: number;
}

/** How many times its quiet value a p99 may be. */
const AIM = 2;
const [BEGIN, END] = ['<!-- npm run bench:attacks: begin -->', '<!-- npm run bench:attacks: end -->'];

/** The table of all attacks, and what it says about the aim. @param machine what was measured on, and how */
export function reportOf(
  quiet: Witnessed & Pick<Endured, 'turnMs' | 'memory'>,
  all: readonly Endured[],
  machine: string,
): string {
  const quietMs = percentile(quiet.votesMs, 0.99);
  const head = [
    ...[
      'attack',
      'p50',
      'p99',
      'of quiet',
      'p99 beside the same load',
      'server’s work without a pause, p99',
      'operator let in',
      'p99 of the operator',
    ],
    ...['lines lost', 'attacker, server: cores', 'memory'],
  ];
  const rows = all.map((one) => {
    const p99 = percentile(one.votesMs, 0.99);
    return [
      one.title,
      ...[ms(percentile(one.votesMs, 0.5)), ms(p99), `${(p99 / quietMs).toFixed(1)} ×`],
      ...[ms(percentile(one.beside.votesMs, 0.99)), ms(one.turnMs), ...ofOperator(one), String(one.lost)],
      `${one.attackerShare.toFixed(2)}, ${one.serverShare.toFixed(2)}`,
      mib(one.memory),
    ];
  });
  const none = [
    ...['none', ms(percentile(quiet.votesMs, 0.5)), ms(quietMs), '1.0 ×', '–', ms(quiet.turnMs)],
    ...[...ofOperator(quiet), String(quiet.lost), '–', mib(quiet.memory)],
  ];
  const missed = all.filter((one) => percentile(one.votesMs, 0.99) >= AIM * quietMs).map(({ title }) => title);
  const verdict =
    missed.length === 0
      ? `The p99 is below ${AIM} × its quiet value under every attack.`
      : `The p99 is ${AIM} × its quiet value or more under: ${missed.join('; ')}.`;
  return `${machine}\n\n${markdownTable(head, [none, ...rows])}\n\n${verdict}`;
}

/** Replaces the table in a document. @throws Error if the document has no place for it */
export function putInto(file: string, report: string): void {
  const text = readFileSync(file, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${file} has no place for the table: ${BEGIN} … ${END}`);
  writeFileSync(file, `${text.slice(0, begin + BEGIN.length)}\n\n${report}\n\n${text.slice(end)}`);
}

/** A percentile in ms; NaN if there are no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function ofOperator({ operatorMs, operatorRefused }: Witnessed): string[] {
  const asked = operatorMs.length + operatorRefused;
  return [`${operatorMs.length} of ${asked}`, ms(percentile(operatorMs, 0.99))];
}

function ms(value: number): string {
  return Number.isNaN(value) ? '–' : `${value.toFixed(1)} ms`;
}

function mib(value: number): string {
  return `${value.toFixed(0)} MiB`;
}
