import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { awaitWrite } from '../embedded/await-write.ts';
import { setAsideIfDamaged } from '../embedded/files/spare.ts';
import type { Point, Sample, Series, Window } from './series.ts';

type Key = [round: string, second: number, partition: string, option: string];

const roundOf = (poll: string, round: number | string) => `${poll}/${round}`;

/** The time series of a single process, in a separate LMDB file. Stores only what timelines need, and nothing for Grafana. */
export class EmbeddedSeries implements Series {
  private readonly file: RootDatabase;
  private readonly table: Database<number, Key>;

  private constructor(file: RootDatabase) {
    this.file = file;
    this.table = file.openDB({ name: 'samples', encoding: 'json' });
  }

  /**
   * @param directory where `series.lmdb` is stored; created if missing
   * @param report called with what was done if the file was damaged, which is no reason not to start
   */
  static async open(directory: string, report: (message: string) => void = () => {}): Promise<EmbeddedSeries> {
    await mkdir(directory, { recursive: true });
    const loss = 'The timelines of earlier rounds are lost.';
    setAsideIfDamaged({ directory, name: 'series.lmdb', loss, report });
    // Unlike votes, graphs may lose their latest points in a power cut.
    return new EmbeddedSeries(open({ path: join(directory, 'series.lmdb'), noSubdir: true }));
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  async write(points: readonly Point[]): Promise<void> {
    const { table } = this;
    const samples = points.filter(({ measurement }) => measurement === 'votes' || measurement === 'ballots');
    await awaitWrite(
      table.childTransaction(() => {
        for (const { tags, fields, atMs } of samples) {
          const { poll = '', round = '', partition = '', option = '' } = tags;
          const key: Key = [roundOf(poll, round), Math.floor(atMs / 1_000), partition, option];
          table.putSync(key, Number(fields.received ?? fields.count));
        }
      }),
    );
  }

  async samples(poll: string, round: number, { fromMs, toMs, stepMs }: Window): Promise<Sample[]> {
    const name = roundOf(poll, round);
    const bound = (ms: number): Key => [name, ms / 1_000, '', ''];
    const last = new Map<string, Sample>();
    for (const { key, value } of this.table.getRange({ start: bound(fromMs), end: bound(toMs) })) {
      const [, second, partition, option] = key;
      const step = Math.floor((second * 1_000 - fromMs) / stepMs);
      const sample = { atMs: second * 1_000, partition, value };
      last.set(`${step}/${partition}/${option}`, option === '' ? sample : { ...sample, option });
    }
    return [...last.values()];
  }
}
