import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The strictest system we support limits the path of a Unix socket to about 104 bytes. */
const MAX_SOCKET_PATH = 100;

/**
 * Ensures that only one process uses a data directory. The lock is a listening socket. The system closes it however the process
 * ends, so a crash never leaves the directory locked, as a pid file would.
 */
export class DirectoryLock {
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    server.unref();
  }

  /** Takes the lock. Rejects with a message for the operator if another process holds it. */
  static async take(directory: string): Promise<DirectoryLock> {
    const path = socketPath(resolve(directory));
    try {
      return new DirectoryLock(await listen(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (await answers(path)) {
        throw new Error(
          `the data directory ${resolve(directory)} is in use by another pollcast process; stop that process, or choose another directory with POLLCAST_DATA_DIR`,
        );
      }
      await rm(path, { force: true });
      return new DirectoryLock(await listen(path));
    }
  }

  async release(): Promise<void> {
    if (this.server.listening) await new Promise((done) => this.server.close(done));
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
