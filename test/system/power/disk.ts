import type { Call } from './trace.ts';

type Write = Extract<Call, { is: 'write' }>;

/** A disk writes whole sectors: of a longer write, any may be missing after a power cut. */
const SECTOR_BYTES = 512;

/** Which of the writes that were not synced have reached the disk when the power goes. */
export type Survival = (write: Write, sector: number) => boolean;

/** The files of a directory on a disk that forgets what was not synced. */
export class Disk {
  private readonly safe = new Map<string, Buffer>();
  private readonly pending = new Map<string, Write[]>();

  /** @param names files that are empty at first */
  constructor(names: readonly string[]) {
    for (const name of names) this.safe.set(name, Buffer.alloc(0));
  }

  apply(call: Call): void {
    if (call.is === 'said') return;
    const { file } = call;
    const waiting = this.pending.get(file) ?? [];
    if (call.is === 'sync') {
      for (const write of waiting)
        this.safe.set(
          file,
          written(this.safe.get(file), write, () => true),
        );
      this.pending.delete(file);
    } else if (call.isSynced)
      this.safe.set(
        file,
        written(this.safe.get(file), call, () => true),
      );
    else this.pending.set(file, [...waiting, call]);
  }

  /** How many writes are not synced. */
  get unsynced(): number {
    return [...this.pending.values()].reduce((sum, writes) => sum + writes.length, 0);
  }

  /** What is found after a power cut. */
  afterCut(survives: Survival): Map<string, Buffer> {
    const left = new Map<string, Buffer>();
    for (const [file, safe] of this.safe) {
      let content = safe;
      for (const write of this.pending.get(file) ?? []) content = written(content, write, survives);
      left.set(file, content);
    }
    return left;
  }
}

function written(before: Buffer = Buffer.alloc(0), write: Write, survives: Survival): Buffer {
  let content = before;
  for (let start = 0; start < write.bytes.length; start += SECTOR_BYTES) {
    const sector = write.bytes.subarray(start, start + SECTOR_BYTES);
    const at = write.at + start;
    if (!survives(write, start / SECTOR_BYTES)) continue;
    if (content === before || at + sector.length > content.length) {
      const longer = Buffer.alloc(Math.max(content.length, at + sector.length));
      content.copy(longer);
      content = longer;
    }
    sector.copy(content, at);
  }
  return content;
}
