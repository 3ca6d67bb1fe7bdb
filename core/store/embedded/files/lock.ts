import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSameFile } from './identity.ts';

/** The byte that is locked lies far behind the data, because on Windows nobody can write where a lock is. */
const LOCKED_BYTE = 2 ** 52;
/** How often the lock is tried again if the file is replaced at the same moment. */
const MAX_TRIES = 5;

/**
 * Ensures that only one process uses a data directory. The lock is on the vote log itself, not on a file beside it: a lock file
 * that is deleted while a process runs would let in a second one, whereas a second process cannot get at the same log without
 * meeting the lock. It does not matter by which path the directory is reached. The system drops the lock however the process
 * ends, so a crash never leaves the directory locked.
 */
export class DirectoryLock {
  private readonly file: FileHandle;

  private constructor(file: FileHandle) {
    this.file = file;
  }

  /**
   * Takes the lock. Rejects with a message for the operator if another process holds it.
   *
   * @param directory its real path
   * @param flags how to open the vote log: `a+` creates it if it is missing, `r+` rejects with ENOENT
   */
  static async take(directory: string, flags: 'a+' | 'r+' = 'a+'): Promise<DirectoryLock> {
    const { tryLock } = await loadLocks();
    const path = join(directory, 'log.lmdb');
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const file = await open(path, flags);
      try {
        if (!tryLock(file.fd, LOCKED_BYTE, 1) || (await isLockedByOldVersion(directory))) throw inUse(directory);
        const now = await stat(path).catch(() => undefined);
        if (now && isSameFile(now, await file.stat())) return new DirectoryLock(file);
      } catch (error) {
        await file.close();
        throw error;
      }
      await file.close();
    }
    throw new Error(`${path} is being replaced again and again; stop whatever does that, then start again`);
  }

  async release(): Promise<void> {
    await this.file.close();
  }
}

function inUse(directory: string): Error {
  return new Error(
    `the data directory ${directory} is in use by another pollcast process; stop that process, or choose another directory with POLLCAST_DATA_DIR`,
  );
}

async function loadLocks() {
  try {
    return await import('fs-native-extensions');
  } catch (cause) {
    const system = `${process.platform}-${process.arch}`;
    throw new Error(
      `files cannot be locked on this system (${system}), so two processes could use one data directory; use Redis (POLLCAST_REDIS_URL), or another system`,
      { cause },
    );
  }
}

/** Version 0.1 locked a directory by listening on a socket, which may still be answered while this version is installed. */
async function isLockedByOldVersion(directory: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 24);
  for (const path of [join(directory, 'lock.sock'), join(tmpdir(), `pollcast-${name}.sock`)]) {
    const socket = createConnection({ path });
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      // Nobody answers, so the process that listened was killed.
      await rm(path, { force: true });
    } finally {
      socket.destroy();
    }
  }
  return false;
}
