/**
 * Kills every program that a test started, however the test ends. A killed test cannot clean up, so every child process is
 * reported to a separate process, the reaper. When its pipe from the test closes, the reaper kills all child processes that
 * are still running. Every module that starts programs imports this one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const REAPER = fileURLToPath(new URL('./reaper.child.js', import.meta.url));
/** The interval in ms at which a test checks that its runner is still alive. */
const LOOK_EVERY_MS = 500;

let reaper: Socket | undefined;
let isStarting = false;

// Node publishes every child process here, including those that libraries and the product start.
subscribe('child_process', (message) => {
  if (isStarting) return;
  const { process: child } = message as { process: ChildProcess };
  child.once('spawn', () => report(`started ${child.pid}`));
  child.once('exit', () => report(`ended ${child.pid}`));
});

// A test ends itself when its runner has died, because nobody would read its output or stop it when it takes too long.
const runner = process.ppid;
setInterval(() => process.ppid !== runner && process.kill(process.pid, 'SIGKILL'), LOOK_EVERY_MS).unref();

function report(line: string): void {
  reaper ??= start();
  reaper.write(`${line}\n`);
}

function start(): Socket {
  isStarting = true;
  // Detached into its own session, so that Ctrl-C in a terminal does not reach it.
  const child = spawn(process.execPath, [REAPER], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  isStarting = false;
  child.unref();
  const pipe = child.stdin as Socket;
  pipe.unref();
  pipe.on('error', () => {});
  return pipe;
}
