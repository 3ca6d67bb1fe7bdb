/** A pair of figures to draw side by side. */
export interface Pair {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: number;
}

const WIDTH = 40;
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** Horizontal bars, in a terminal. */
export function bars(pairs: readonly Pair[]): string {
  return pairs
    .map(({ name, unit, ours, peer }) => {
      const most = Math.max(ours, peer);
      const row = (who: string, value: number) =>
        `  ${who.padEnd(12)} ${'█'.repeat(Math.max(1, Math.round((value / most) * WIDTH)))} ${number.format(value)} ${unit}`;
      return [
        `${name}  (ours / bare Aedes: ${(ours / peer).toFixed(2)})`,
        row('Pollcast', ours),
        row('bare Aedes', peer),
      ].join('\n');
    })
    .join('\n\n');
}

/** The same as a picture for the documentation. */
export function svg(pairs: readonly Pair[]): string {
  const rows = pairs.map(({ name, unit, ours, peer }, i) => {
    const y = 20 + i * 92;
    const most = Math.max(ours, peer);
    const bar = (value: number, dy: number, fill: string, who: string) => {
      const width = Math.max(2, (value / most) * 380);
      return `<rect x="110" y="${y + dy}" width="${width.toFixed(1)}" height="22" rx="4" fill="${fill}"/><text x="100" y="${y + dy + 16}" text-anchor="end">${who}</text><text x="${(118 + width).toFixed(1)}" y="${y + dy + 16}">${number.format(value)} ${unit}</text>`;
    };
    return `<text x="10" y="${y + 6}" font-weight="700">${name}: ${(ours / peer).toFixed(2)} × bare Aedes</text>${bar(ours, 16, '#3b6fe0', 'Pollcast')}${bar(peer, 44, '#9aa5bb', 'bare Aedes')}`;
  });
  const height = 30 + pairs.length * 92;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="680" height="${height}" viewBox="0 0 680 ${height}" font-family="system-ui, sans-serif" font-size="14"><title>Pollcast beside bare in-memory Aedes</title><rect width="680" height="${height}" fill="#ffffff"/>${rows.join('')}</svg>\n`;
}
