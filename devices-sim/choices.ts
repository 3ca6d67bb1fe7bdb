import type { PollInfo } from './api.ts';

/** A random number generator of one seed (mulberry32): the same seed, the same rehearsal. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A valid choice for a poll, uneven over the options so that the bars look like an audience's. */
export function randomChoice(poll: PollInfo, random: () => number): string {
  const { options } = poll;
  const pick = () => options[Math.floor(random() ** 1.6 * options.length)]?.key as string;
  if (poll.kind === 'multiple') {
    const min = poll.min ?? 1;
    const max = Math.min(poll.max ?? options.length, options.length);
    const wanted = min + Math.floor(random() * (max - min + 1));
    const chosen = new Set<string>();
    while (chosen.size < wanted) chosen.add(pick());
    return options
      .filter(({ key }) => chosen.has(key))
      .map(({ key }) => key)
      .join(',');
  }
  return pick();
}
