/** The median of all values but NaN; of an even number of them, the mean of the two in the middle; NaN if there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [below, above] = [sorted[middle - 1] ?? Number.NaN, sorted[middle] ?? Number.NaN];
  return sorted.length % 2 === 1 ? above : (below + above) / 2;
}

/**
 * The median of `ours / theirs`, value by value: values measured in the same round are close in time, so a machine whose speed
 * drifts changes both. Rounds in which one of them was not measured (NaN) are left out.
 */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  const pairs = Math.min(ours.length, theirs.length);
  return median(Array.from({ length: pairs }, (_, i) => (ours[i] as number) / (theirs[i] as number)));
}
