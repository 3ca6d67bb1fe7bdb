import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second, the unit of CPU times in /proc. */
const TICKS = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;

/** What the operating system says about a process. */
export interface ProcessFacts {
  readonly parent: number;
  /** CPU time in ms, user and system, of all its threads and of its children that have ended. */
  readonly cpuMs: number;
}

/** Reads the text of /proc/PID/stat. The name of the program, in brackets, may contain spaces and brackets itself. */
export function parseStat(text: string): ProcessFacts {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // In proc(5), these are the fields 4 (parent) and 14 to 17 (utime, stime, cutime, cstime); the first here is field 3.
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number) as [number, number, number, number];
  return { parent: Number(fields[1]), cpuMs: ((utime + stime + cutime + cstime) / TICKS) * 1_000 };
}

/** CPU time in ms that processes and all their descendants have used so far, to within 10 ms for each. */
export function cpuMsOf(pids: readonly number[]): number {
  return [...family(pids).values()].reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** Resident memory (MiB) of processes and all their descendants. Pages that they share are counted for each. */
export function memoryOf(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of family(pids).keys()) kib += Number(/VmRSS:\s+(\d+)/.exec(read(pid, 'status'))?.[1] ?? 0);
  return kib / 1024;
}

function family(pids: readonly number[]): Map<number, ProcessFacts> {
  const all = new Map<number, ProcessFacts>();
  for (const name of readdirSync('/proc')) {
    const text = /^\d+$/.test(name) ? read(Number(name), 'stat') : '';
    if (text !== '') all.set(Number(name), parseStat(text));
  }
  const found = new Map<number, ProcessFacts>();
  const add = (pid: number) => {
    const facts = all.get(pid);
    if (!facts || found.has(pid)) return;
    found.set(pid, facts);
    for (const [child, { parent }] of all) if (parent === pid) add(child);
  };
  for (const pid of pids) add(pid);
  return found;
}

/** A file of a process in /proc; empty if the process has ended. */
function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
