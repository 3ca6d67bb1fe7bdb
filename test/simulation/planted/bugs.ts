/** A bug that is put into a copy of the product, to show that the simulation finds it. */
export interface Bug {
  readonly name: string;
  /** The source that has the bug, from the root of the checkout. */
  readonly file: string;
  /** The text that is replaced; it occurs exactly once. */
  readonly find: string;
  readonly replace: string;
}

export const BUGS: readonly Bug[] = [
  {
    name: 'acknowledged before the append',
    file: 'broker/intake/appender.ts',
    find: `    this.append(batch).then(
      () => this.settle(batch),
      (error: Error) => this.settle(batch, error),
    );`,
    replace: `    this.append(batch).catch(() => {});
    this.settle(batch);`,
  },
  {
    name: 'offset committed before the tally',
    file: 'processors/counting/counter.ts',
    find: 'const done = await this.parts.store.counts.commit(commit);',
    replace: `const { counts } = this.parts.store;
    const isFirst = await counts.commit({ ...commit, slices: [], producers: [] });
    const done = isFirst && (await counts.commit({ ...commit, expected: offset, entries: 0, expectedCheckpoint: isDue ? offset : commit.expectedCheckpoint }));`,
  },
  {
    name: 'handover that does not wait',
    file: 'broker/lease/handover.ts',
    find: '    await this.parts.drained();\n',
    replace: '',
  },
  {
    name: 'repetitions not recognised after a takeover',
    file: 'broker/intake/publisher.ts',
    find: "message.mayRepeat = isFirst && before !== 'left';",
    replace: "message.mayRepeat = isFirst && before === 'unknown';",
  },
  {
    name: 'markers folded out of order',
    file: 'core/voting/count/fold.ts',
    find: "  for (const entry of entries) {\n    if (entry.type === 'votes') foldVotes",
    replace: `  const markers = entries.filter(({ type }) => type !== 'votes');
  for (const entry of [...markers, ...entries.filter(({ type }) => type === 'votes')]) {
    if (entry.type === 'votes') foldVotes`,
  },
  {
    name: 'an entry that was appended twice is counted twice',
    file: 'core/voting/count/fold.ts',
    find: '  if (entry.sequence <= (producers.get(entry.producer) ?? -1)) return false;\n',
    replace: '',
  },
];
