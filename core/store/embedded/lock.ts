import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A Unix socket's path may have about 104 bytes, the least of the systems we run on. */
const MAX_SOCKET_PATH = 100;

/**
 * One process per data directory. A listening socket holds the lock: the system frees it whatever way the
 * process ends, so a crash leaves nothing that a person must clean up (a pid file would).
 */
export class DirectoryLock {
  private readonly directory: string;
  private server: Server | undefined;

  constructor(directory: string) {
    this.directory = resolve(directory);
  }

  /** Takes the lock. Rejects with a sentence for the operator when another process holds it. */
  async take(): Promise<void> {
    const path = socketPath(this.directory);
    try {
      this.server = await listen(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (await answers(path)) {
        throw new Error(
          `the data directory ${this.directory} is in use by another pollcast process; stop that one, or choose another directory with POLLCAST_DATA_DIR`,
        );
      }
      await rm(path, { force: true });
      this.server = await listen(path);
    }
    this.server.unref();
  }

  async release(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server) await new Promise((done) => server.close(done));
  }
}

function socketPath(directory: string): string {
  const name = `pollcast-${createHash('sha256').update(directory).digest('hex').slice(0, 24)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  const inside = join(directory, 'lock.sock');
  return Buffer.byteLength(inside) <= MAX_SOCKET_PATH ? inside : join(tmpdir(), `${name}.sock`);
}

async function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.listen(path);
  await once(server, 'listening');
  return server;
}

function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(path);
    socket.once('connect', () => done(true)).once('error', () => done(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
