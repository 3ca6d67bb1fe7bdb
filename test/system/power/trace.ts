/** A system call of the traced program, in the order in which they had an effect. */
export type Call =
  | {
      readonly is: 'write';
      readonly file: string;
      readonly at: number;
      readonly bytes: Buffer;
      /** It is on the disk when it returns. */
      readonly isSynced: boolean;
    }
  | { readonly is: 'sync'; readonly file: string }
  | { readonly is: 'said'; readonly line: string };

/** What strace must record: everything that changes a file or syncs it. */
export const TRACED = [
  'openat,lseek,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,msync,sync_file_range,ftruncate,fallocate',
  'rename,renameat,renameat2',
].join(',');
/** The arguments for strace: follow threads, name the file of each descriptor, and print data completely, as hex. */
export const STRACE = ['-f', '-qq', '-y', '-xx', '-s', '8000000', '-e', `trace=${TRACED}`];

/**
 * Reads what strace recorded about the files that end with one of `names`, and about standard output. A call that was interrupted
 * by another thread counts from its beginning if it writes, and from its end if it syncs: so a cut never finds more on the disk
 * than was certain. @throws Error for a call that changes such a file in a way that is not simulated
 */
export function readTrace(text: string, names: readonly string[]): Call[] {
  const calls: Call[] = [];
  const synced = new Set<string>();
  /** Where each descriptor writes next. LMDB seeks before it writes several pages. */
  const positions = new Map<string, number>();
  const unfinished = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. (\w+) resumed>/.exec(rest);
    const started = resumed ? (unfinished.get(thread) ?? '') : rest;
    if (rest.endsWith('<unfinished ...>')) unfinished.set(thread, rest);
    const [, call = '', descriptor = '', file = ''] = /^(\w+)\((\d+)<([^>]*)>/.exec(started) ?? [];
    const path = decoded(file);
    const name = names.find((one) => path.endsWith(`/${one}`));
    const isEnd = !rest.endsWith('<unfinished ...>');
    if (call === 'openat' || started.startsWith('openat')) {
      const opened = /= (\d+)<([^>]*)>/.exec(rest);
      if (!opened) continue;
      if (/O_D?SYNC/.test(started)) synced.add(opened[1] as string);
      else synced.delete(opened[1] as string);
    } else if (call === 'write' && descriptor === '1' && !resumed) {
      for (const said of quoted(started).toString().trim().split('\n')) calls.push({ is: 'said', line: said });
    } else if (!name) {
    } else if (call === 'fdatasync' || call === 'fsync') {
      if (isEnd && / = 0$/.test(rest)) calls.push({ is: 'sync', file: name });
    } else if (call === 'lseek') {
      positions.set(descriptor, Number(/= (\d+)$/.exec(rest)?.[1]));
    } else if (call === 'pwrite64' || call === 'pwritev' || call === 'writev') {
      if (resumed) continue;
      const argument = /, (\d+)(?: <unfinished \.\.\.>|\)\s+= \d+)$/.exec(rest)?.[1];
      const at = call === 'writev' ? positions.get(descriptor) : Number(argument);
      if (at === undefined || Number.isNaN(at))
        throw new Error(`it is not known where this writes: ${call} ${argument}`);
      const isSynced = synced.has(descriptor);
      if (isSynced && !isEnd) throw new Error(`a synchronous write was interrupted: ${rest.slice(0, 80)}`);
      calls.push({ is: 'write', file: name, at, bytes: quoted(started), isSynced });
    } else if (!resumed) throw new Error(`this call is not simulated: ${rest.slice(0, 120)}`);
  }
  return calls;
}

/** All data in the arguments of a call, in order. */
function quoted(call: string): Buffer {
  const parts = [...call.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => hex);
  return Buffer.from(parts.join('').replaceAll('\\x', ''), 'hex');
}

/** A path as `-xx` prints it in some versions: plain, or as hex. */
function decoded(path: string): string {
  return path.startsWith('\\x') ? Buffer.from(path.replaceAll('\\x', ''), 'hex').toString() : path;
}
