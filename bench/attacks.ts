/**
 * `npm run bench:attacks`: how long good devices wait for their acknowledgements, and whether the operator gets in, while somebody
 * on another address attacks; and the same beside a process that takes as much processor time as the attacker and attacks nobody.
 * How long the server’s main thread works without a pause is measured in its own processor time. Everything is on 127.0.0.0/8.
 * The table in docs/LIMITS.md comes from here.
 *
 *   --seconds 30           for each attack
 *   --only "silent;reads"  only these
 *   --nice 10              gives the attacker a lower priority, which the table then says; by default, it has the same
 *   --write FILE           where to put the table; by default docs/LIMITS.md if everything was measured for 30 s, or build/attacks.md
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ATTACKS, type Attack } from './attacks/attacks.ts';
import { Burden, Witness } from './attacks/cast.ts';
import { type Endured, percentile, putInto, reportOf } from './attacks/report.ts';
import type { Witnessed } from './attacks/witness.child.ts';
import { Progress } from './measuring/progress.ts';
import { median } from './measuring/statistics.ts';
import { turnsOf } from './pressure/turns.ts';
import { temporaryFolder } from './processes/leaving.ts';
import { freePort } from './processes/ports.ts';
import { Subject } from './subject.ts';

/** Attacks are measured for so long (s), unless a flag says otherwise, and at most. */
const [SECONDS, MOST_SECONDS] = [30, 300];
/** How long the good devices vote before anything is measured, how long an attack goes on before, and how long all rest after it (ms). */
const [WARM_UP_MS, ATTACK_FIRST_MS, REST_MS] = [5_000, 1_000, 2_500];
/** At most how long in ms it is quiet before each attack, and how long a process takes time beside. */
const BESIDE_MS = 10_000;
/** Interval in ms at which the server’s memory is read. */
const LOOK_EVERY_MS = 250;
/** The server’s limit of open files. */
const OPEN_FILES = 20_000;
const TOKEN = 'operator-token-of-bench';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: String(SECONDS) },
    only: { type: 'string' },
    nice: { type: 'string', default: '0' },
    write: { type: 'string' },
  },
});
const seconds = numberOf('seconds', 1, MOST_SECONDS);
const nice = numberOf('nice', 0, 19);
const only = values.only?.split(';').map((name) => name.trim());
const unknown = only?.find((name) => !ATTACKS.some((attack) => attack.name === name));
if (unknown !== undefined) {
  throw new Error(`--only: there is no ${unknown}; there are ${ATTACKS.map(({ name }) => name).join(', ')}`);
}
const chosen = ATTACKS.filter(({ name }) => only?.includes(name) ?? true);

const folder = temporaryFolder();
const [mqttPort, httpPort] = [await freePort(), await freePort()];
const meter = join(folder.path, 'turns.jsonl');
const server = await startServer();
const witness = new Witness(mqttPort, httpPort, TOKEN);
/** The server’s most memory so far, and that before the first attack, in MiB. */
let highest = 0;
let quietMemory: number | undefined;
const look = setInterval(() => {
  highest = Math.max(highest, server.memory);
}, LOOK_EVERY_MS);
try {
  await pause(WARM_UP_MS);
  await witness.told();
  const quiets: (Witnessed & { readonly turnMs: number })[] = [];
  const endured: Endured[] = [];
  const progress = new Progress(chosen.length);
  for (const attack of chosen) {
    progress.next(attack.title);
    const quietFromMs = performance.now();
    const quiet = await during(Math.min(BESIDE_MS, seconds * 1_000));
    quiets.push({ ...quiet, turnMs: turnsOf(meter, quietFromMs).p99 });
    quietMemory ??= highest;
    endured.push(await endure(attack));
  }
  report(quiets, endured);
} finally {
  clearInterval(look);
  await witness.end();
  await server.stop();
  folder.remove();
}

async function endure({ name, title }: Attack): Promise<Endured> {
  const attacker = new Burden('./attacker.child.js', [name, mqttPort, httpPort], nice);
  await pause(ATTACK_FIRST_MS);
  await witness.told();
  attacker.share();
  const { cpuMs } = server;
  const startMs = performance.now();
  const witnessed = await during(seconds * 1_000);
  const { p99: turnMs } = turnsOf(meter, startMs);
  const attackerShare = attacker.share();
  const serverShare = (server.cpuMs - cpuMs) / (performance.now() - startMs);
  await attacker.end();
  await rested();
  const burner = new Burden('./burner.child.js', [attackerShare.toFixed(3), process.pid], nice);
  await pause(ATTACK_FIRST_MS);
  await witness.told();
  const beside = await during(Math.min(BESIDE_MS, seconds * 1_000));
  await burner.end();
  await rested();
  const p99 = [witnessed, beside].map(({ votesMs }) => percentile(votesMs, 0.99).toFixed(1));
  process.stderr.write(`  p99 ${p99[0]} ms, beside the same load ${p99[1]} ms; ${witnessed.votesMs.length} votes\n`);
  return { ...witnessed, title, turnMs, beside, attackerShare, serverShare, memory: highest };
}

async function during(ms: number): Promise<Witnessed> {
  await pause(ms);
  return witness.told();
}

async function rested(): Promise<void> {
  await pause(REST_MS);
  await witness.told();
}

function report(quiets: readonly (Witnessed & { readonly turnMs: number })[], endured: readonly Endured[]): void {
  const sum = (of: (one: Witnessed) => number) => quiets.reduce((all, one) => all + of(one), 0);
  const quiet = {
    votesMs: quiets.flatMap(({ votesMs }) => votesMs),
    operatorMs: quiets.flatMap(({ operatorMs }) => operatorMs),
    operatorRefused: sum(({ operatorRefused }) => operatorRefused),
    lost: sum(({ lost }) => lost),
    turnMs: median(quiets.map(({ turnMs }) => turnMs)),
    memory: quietMemory ?? 0,
  };
  const machine =
    `${seconds} s each, server, attacker and good devices on the same ${cpus().length} cores, Node ${process.versions.node}. ` +
    `*None* is measured before each attack, all together. ` +
    (nice > 0
      ? `The attacker has a lower priority (nice ${nice}).`
      : 'The attacker has the same priority as the others.');
  const text = reportOf(quiet, endured, machine);
  console.log(text);
  const isComplete = chosen.length === ATTACKS.length && seconds >= SECONDS;
  const file =
    values.write ??
    fileURLToPath(new URL(`../../${isComplete ? 'docs/LIMITS.md' : 'build/attacks.md'}`, import.meta.url));
  if (isComplete && values.write === undefined) putInto(file, text);
  else writeFileSync(file, `${text}\n`);
  console.error(`Written to ${relative(process.cwd(), file)}`);
}

function startServer(): Promise<Subject> {
  const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
  process.env.BENCH_TURNS = meter;
  const limited = `ulimit -n ${OPEN_FILES} && exec "$0" "$@"`;
  const node = [process.execPath, '--import', path('./pressure/turn-meter.child.js'), path('../cli/pollcast.js')];
  const ports = ['--mqtt-port', String(mqttPort), '--http-port', String(httpPort)];
  const flags = ['up', '--demo', ...ports, '--data-dir', join(folder.path, 'data'), '--operator-token', TOKEN];
  return Subject.start('sh', ['-c', limited, ...node, ...flags], '"running"');
}

function numberOf(flag: 'seconds' | 'nice', least: number, most: number): number {
  const value = Number(values[flag]);
  if (value >= least && value <= most) return value;
  throw new Error(`--${flag}: ${values[flag]} is not a number from ${least} to ${most}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
