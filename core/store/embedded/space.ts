import { statfs } from 'node:fs/promises';
import { StoreError } from '../error.ts';

/** Left free for what cannot wait: 64 MiB, or a tenth of a disk that is smaller than 640 MiB. */
const RESERVE_BYTES = 64 * 1024 * 1024;
const RESERVE_SHARE = 0.1;
const CHECK_EVERY_MS = 1_000;

/**
 * Refuses writes before the disk is full. On a full one lmdb fails each commit, which is survivable, but now and then its
 * native code crashes on the way, which is not.
 */
export class FreeSpace {
  private readonly directory: string;
  private readonly reserve: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private problem: string | undefined;

  /** @param reserve bytes to leave free, if not the usual */
  constructor(directory: string, reserve?: number) {
    this.directory = directory;
    this.reserve = reserve;
  }

  async start(): Promise<void> {
    await this.check();
    this.timer = setInterval(() => void this.check(), CHECK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** @throws StoreError when the disk is as good as full */
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
          ? `the disk of ${this.directory} is full: ${mebibytes(free)} MiB free, ${mebibytes(reserve)} MiB are needed; votes are not acknowledged until there is room`
          : undefined;
    } catch {
      // A system that cannot tell is trusted: the write itself will fail if it has to.
      this.problem = undefined;
    }
  }
}
