import { statfs } from 'node:fs/promises';

/** Disk space to keep free: 64 MiB, or a tenth of a disk that is smaller than 640 MiB. */
const RESERVE_BYTES = 64 * 1024 * 1024;
const RESERVE_SHARE = 0.1;

/**
 * Knows when a disk is nearly full, so that writes are refused in time. On a full disk, every lmdb commit fails, which Pollcast
 * can handle, but occasionally lmdb’s native code crashes and ends the process.
 */
export class FreeSpace {
  private readonly directory: string;
  private readonly reserve: number | undefined;
  private problem: string | undefined;

  private constructor(directory: string, reserve: number | undefined) {
    this.directory = directory;
    this.reserve = reserve;
  }

  /** Checks the disk of a directory for the first time. @param reserve bytes to keep free, instead of the default */
  static async of(directory: string, reserve?: number): Promise<FreeSpace> {
    const space = new FreeSpace(directory, reserve);
    await space.check();
    return space;
  }

  /** What is wrong, as a sentence for operators; undefined while there was enough space at the last check. */
  get shortage(): string | undefined {
    return this.problem;
  }

  async check(): Promise<void> {
    try {
      const { bavail, blocks, bsize } = await statfs(this.directory);
      const reserve = this.reserve ?? Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_SHARE);
      const free = bavail * bsize;
      const mebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);
      this.problem =
        free < reserve
          ? `the disk of ${this.directory} is full: ${mebibytes(free)} MiB free, ${mebibytes(reserve)} MiB needed; votes are not acknowledged until space is freed`
          : undefined;
    } catch {
      // If the free space cannot be determined, writes simply fail once the disk is full.
      this.problem = undefined;
    }
  }
}
