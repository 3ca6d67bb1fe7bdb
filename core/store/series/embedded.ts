import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { written } from '../embedded/written.ts';
import type { Point, Sample, Series, Window } from './series.ts';

type Key = [round: string, second: number, partition: string, option: string];

const roundOf = (poll: string, round: number | string) => `${poll}/${round}`;

/** The series of a single process in an LMDB file of its own: what timelines need, and nothing for Grafana. */
export class EmbeddedSeries implements Series {
  private readonly directory: string;
  private file: RootDatabase | undefined;
  private table: Database<number, Key> | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  async start(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    // Graphs may lose their last moments in a power cut.
    this.file = open({ path: join(this.directory, 'series.lmdb'), noSubdir: true });
    this.table = this.file.openDB({ name: 'samples', encoding: 'json' });
  }

  async stop(): Promise<void> {
    await this.file?.close();
    this.file = undefined;
  }

  async write(points: readonly Point[]): Promise<void> {
    const { table } = this;
    if (!table) return;
    const samples = points.filter(({ measurement }) => measurement === 'votes' || measurement === 'ballots');
    await written(
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
    const range = { start: [name, fromMs / 1_000], end: [name, toMs / 1_000] } as unknown as { start: Key; end: Key };
    const last = new Map<string, Sample>();
    for (const { key, value } of this.table?.getRange(range) ?? []) {
      const [, second, partition, option] = key;
      const step = Math.floor((second * 1_000 - fromMs) / stepMs);
      const sample = { atMs: second * 1_000, partition, value };
      last.set(`${step}/${partition}/${option}`, option === '' ? sample : { ...sample, option });
    }
    return [...last.values()];
  }
}
