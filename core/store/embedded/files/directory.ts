import { constants } from 'node:fs';
import { access, chmod, mkdir, open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

const { R_OK, W_OK, X_OK } = constants;
const HELP = 'or choose another directory with POLLCAST_DATA_DIR';
/** The rights of a data directory: it contains guest keys, the hashes of secrets, and ballots. */
const PRIVATE_DIRECTORY = 0o700;
/** The rights of accounts other than the owner, and of those outside the owner’s group. */
const [OF_OTHERS, OF_THE_WORLD] = [0o077, 0o007];
/** Set on directories such as /tmp, where everybody may create files. */
const STICKY = 0o1000;

/**
 * The real path of a data directory, which is created if it is missing. Rejects with a message for the operator if it cannot be
 * written to, or one of its files cannot, or any account can read it and that cannot be changed.
 *
 * @param report called with what was done if other accounts could read it
 */
export async function ownDirectory(path: string, report: (message: string) => void = () => {}): Promise<string> {
  const directory = await created(path);
  await demandAccess(directory, R_OK | W_OK | X_OK);
  // A start as another user, such as root, may have left files that this user cannot open.
  const names = (await readdir(directory)).filter((name) => /\.lmdb(-lock)?$/.test(name));
  for (const name of names) await demandAccess(join(directory, name), R_OK | W_OK);
  await closeToOthers(directory, names, report);
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
    await mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY });
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

/**
 * Takes the rights of other accounts to the directory and to files in it. Those of the group stay if another account owns the
 * directory, because an administrator gave them.
 */
async function closeToOthers(
  directory: string,
  names: readonly string[],
  report: (message: string) => void,
): Promise<void> {
  // Windows has other rights, and Node.js reports these as open to everybody.
  if (process.platform === 'win32') return;
  const { mode, uid } = await stat(directory);
  if ((mode & STICKY) !== 0) {
    throw new Error(
      `${directory} is shared by all accounts on this machine, so it cannot be a data directory; create one in it, ${HELP}`,
    );
  }
  const isOwner = uid === process.getuid?.();
  if ((mode & (isOwner ? OF_OTHERS : OF_THE_WORLD)) === 0) return;
  try {
    await chmod(directory, mode & 0o7777 & ~(isOwner ? OF_OTHERS : OF_THE_WORLD));
    for (const name of isOwner ? names : []) await chmod(join(directory, name), 0o600);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(
      `every account on this machine can read the data directory ${directory}, and ${user()} cannot change that (${code}); run chmod o-rwx on it, ${HELP}`,
      { cause },
    );
  }
  report(
    `other accounts on this machine could read the data directory ${directory}, with guest keys and ballots in it; its rights were changed so that they cannot any more`,
  );
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
