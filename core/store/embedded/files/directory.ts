import { constants } from 'node:fs';
import { access, mkdir, open, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';

const { R_OK, W_OK, X_OK } = constants;
const HELP = 'or choose another directory with POLLCAST_DATA_DIR';

/**
 * The real path of a data directory, which is created if it is missing. Rejects with a message for the operator if it cannot be
 * written to, or one of its files cannot.
 */
export async function ownDirectory(path: string): Promise<string> {
  const directory = await created(path);
  await demandAccess(directory, R_OK | W_OK | X_OK);
  // A start as another user, such as root, may have left files that this user cannot open.
  const names = (await readdir(directory)).filter((name) => /\.lmdb(-lock)?$/.test(name));
  for (const name of names) await demandAccess(join(directory, name), R_OK | W_OK);
  return directory;
}

/** Makes sure that files which were created in a directory are still in it after a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows does this with the file, and does not open directories.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function created(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true });
    return await realpath(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOTDIR' || code === 'EEXIST') {
      throw new Error(
        `${path} cannot be a data directory, because it is or lies below a file; move that file, ${HELP}`,
      );
    }
    throw new Error(`the data directory ${path} cannot be created (${code}); create it for ${user()}, ${HELP}`, {
      cause,
    });
  }
}

async function demandAccess(path: string, mode: number): Promise<void> {
  try {
    await access(path, mode);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'EROFS' ? 'its file system is read-only' : `${user()} has no right to (${code})`;
    throw new Error(`${path} cannot be read and written, because ${why}; change its owner or its rights, ${HELP}`, {
      cause,
    });
  }
}

function user(): string {
  const id = process.getuid?.();
  return id === undefined ? 'the user of this process' : `the user with id ${id}`;
}
