/** All keys that begin with `prefix`, which ends with `:`. The byte after `:` is `;`. */
export function rangeOf(prefix: string): { start: string; end: string } {
  return { start: prefix, end: `${prefix.slice(0, -1)};` };
}
