import { createServer, type Server } from 'node:net';

/**
 * Ports for tests are below the ephemeral range. Otherwise, while a server is down and its clients keep reconnecting, another
 * test could take its port, or a client could be assigned this port and connect to itself.
 */
const FIRST = 20_000;
const LAST = 32_000;
/** How many ports a test process claims at a time. The process listens on the first, which marks the block as taken. */
const BLOCK = 50;
/** The maximum number of times that a program is started, each time on other ports. */
const ATTEMPTS = 5;

let next = 0;
let end = 0;
let turn: Promise<unknown> = Promise.resolve();

/**
 * Starts a program on consecutive ports that no other test gets, and tries again on other ports if one of them is in
 * use.
 *
 * @param start if the program does not start, rejects with its output, which shows whether a port is in use
 */
export async function onOwnPorts<T>(count: number, start: (...ports: number[]) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    // Callers take ports one at a time, because tests start servers concurrently.
    const taking = turn.then(() => take(count));
    turn = taking.catch(() => {});
    const ports = await taking;
    try {
      return await start(...ports);
    } catch (error) {
      const isTaken = /address already in use|another program is already listening|EADDRINUSE/i.test(String(error));
      if (!isTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

async function take(count: number): Promise<number[]> {
  for (;;) {
    if (next + count > end) await claimBlock();
    const ports = Array.from({ length: count }, (_, i) => next + i);
    next += count;
    const servers = await Promise.all(ports.map(listen));
    for (const server of servers) server?.close();
    if (servers.every((server) => server)) return ports;
  }
}

async function claimBlock(): Promise<void> {
  for (;;) {
    const first = FIRST + BLOCK * Math.floor((Math.random() * (LAST - FIRST)) / BLOCK);
    const listener = await listen(first);
    if (!listener) continue;
    listener.unref();
    next = first + 1;
    end = first + BLOCK;
    return;
  }
}

/** Listens on a loopback port; resolves with `undefined` if it is taken. */
function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined)).listen(port, '127.0.0.1', () => resolve(server));
  });
}
