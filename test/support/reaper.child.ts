import { createInterface } from 'node:readline';

const running = new Set<number>();

createInterface(process.stdin)
  .on('line', (line) => {
    const [what, pid] = line.split(' ');
    if (what === 'started') running.add(Number(pid));
    else running.delete(Number(pid));
  })
  .on('close', () => {
    // A browser leads its own process group, which contains its helper processes.
    for (const pid of running) for (const target of [-pid, pid]) kill(target);
  });

function kill(target: number): void {
  try {
    process.kill(target, 'SIGKILL');
  } catch {
    // The process leads no process group, or has already exited.
  }
}
