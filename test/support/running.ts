import { readFileSync } from 'node:fs';

/** True while a process runs. A process that has ended stays listed as a zombie until its parent waits for it. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
