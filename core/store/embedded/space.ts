import { statfs } from 'node:fs/promises';
import { every } from '../../waiting/pause.ts';
import { StoreError } from '../error.ts';

/** Disk space to keep free: 64 MiB, or a tenth of a disk that is smaller than 640 MiB. */
const RESERVE_BYTES = 64 * 1024 * 1024;
const RESERVE_SHARE = 0.1;
const CHECK_EVERY_MS = 1_000;

/**
 * Refuses writes before the disk is full. On a full disk, every lmdb commit fails, which Pollcast can handle, but occasionally
 * lmdb’s native code crashes and ends the process.
 */
export class FreeSpace {
  private readonly directory: string;
  private readonly reserve: number | undefined;
  private readonly halt = new AbortController();
  private problem: string | undefined;

  private constructor(directory: string, reserve: number | undefined) {
    this.directory = directory;
    this.reserve = reserve;
  }

  /** Watches the disk of a directory. @param reserve bytes to keep free, instead of the default */
  static async watch(directory: string, reserve?: number): Promise<FreeSpace> {
    const space = new FreeSpace(directory, reserve);
    await space.check();
    every(CHECK_EVERY_MS, space.halt.signal, () => void space.check());
    return space;
  }

  close(): void {
    this.halt.abort();
  }

  /** What is wrong, when the disk is nearly full. */
  get shortage(): string | undefined {
    return this.problem;
  }

  /** @throws StoreError when the disk is nearly full */
  demand(): void {
    if (this.problem) throw new StoreError(this.problem);
  }

  private async check(): Promise<void> {
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
