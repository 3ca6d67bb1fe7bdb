import { isExact } from './comparison.ts';
import type { Percentiles } from './latency.ts';
import type { Report } from './simulation.ts';

const BAR_WIDTH = 30;

/** Formats the report for a terminal. */
export function reportText(report: Report): string {
  const { sent, acknowledged, drops, votingMs, ack, screen, verdict, recount } = report;
  const rate = Math.round(acknowledged / (votingMs / 1000));
  const lines = [
    '',
    `  votes sent           ${sent}`,
    `  acknowledged         ${acknowledged}  (${rate} per second over ${(votingMs / 1000).toFixed(1)} s)`,
    `  connections lost     ${drops}`,
    '',
    ...latencyLines(ack, screen),
    '',
    `  received             ${accountingText(report)}`,
    recount ? `  recount of the log   ${recount.agrees ? 'agrees' : `DIFFERS: ${recount.differences.join('; ')}`}` : '',
    '',
    ...verdict.examples.map((example) => `  ! ${example}`),
    isPassed(report)
      ? `  EXACT: ${verdict.compared} devices, every acknowledged vote counted once, none lost, none counted twice`
      : `  NOT EXACT: ${verdict.lost} lost, ${verdict.wrong} wrong, ${verdict.doubled} counted twice, of ${verdict.compared} devices`,
    '',
  ];
  return lines.join('\n');
}

/** True if the count is exact and the recount, if there was one, agrees. */
export function isPassed({ verdict, recount }: Report): boolean {
  return isExact(verdict) && recount?.agrees !== false;
}

/** The report without the credentials of the devices and the operator. */
export function withoutSecrets({ options: { token: _, credentials: __, ...options }, ...report }: Report) {
  return { ...report, options };
}

function accountingText({ result: { accounting } }: Report): string {
  if (!accounting) return '';
  const { received, counted, replaced, redelivered, rejected } = accounting;
  const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
  return `${received} = ${counted} counted + ${replaced} replaced + ${redelivered} redelivered + ${refused} rejected`;
}

function latencyLines(ack: Percentiles, screen: Percentiles): string[] {
  const most = Math.max(ack.p99, screen.p99, 1);
  const row = (name: string, ms: number) => {
    const bar = '█'.repeat(Math.max(1, Math.round((ms / most) * BAR_WIDTH)));
    return `  ${name.padEnd(20)} ${`${ms.toFixed(1)} ms`.padStart(10)}  ${bar}`;
  };
  return [
    ...(ack.count > 0 ? [row('vote → ack     p50', ack.p50), row('               p99', ack.p99)] : []),
    ...(screen.count > 0 ? [row('vote → screen  p50', screen.p50), row('               p99', screen.p99)] : []),
  ];
}
