/** One contender's figure. */
export interface Bar {
  readonly who: string;
  readonly value: number;
}

/** Figures to draw below each other. */
export interface Chart {
  readonly name: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 40;
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const OURS = '#3b6fe0';
const PEER = '#9aa5bb';

/** Horizontal bars, in a terminal. */
export function text(charts: readonly Chart[]): string {
  return charts
    .map(({ name, unit, bars }) => {
      const most = Math.max(...bars.map(({ value }) => value));
      const rows = bars.map(({ who, value }) => {
        const bar = '█'.repeat(Math.max(1, Math.round((value / most) * WIDTH)));
        return `  ${who.padEnd(22)} ${bar} ${number.format(value)} ${unit}`;
      });
      return [name, ...rows].join('\n');
    })
    .join('\n\n');
}

/** The same as a picture for the documentation. */
export function svg(charts: readonly Chart[]): string {
  let y = 16;
  const parts = charts.map(({ name, unit, bars }) => {
    const most = Math.max(...bars.map(({ value }) => value));
    const rows = [`<text x="10" y="${y + 10}" font-weight="700">${name}</text>`];
    y += 20;
    for (const { who, value } of bars) {
      const width = Math.max(2, (value / most) * 330);
      const fill = who.startsWith('Pollcast') ? OURS : PEER;
      rows.push(
        `<rect x="180" y="${y}" width="${width.toFixed(1)}" height="20" rx="4" fill="${fill}"/><text x="170" y="${y + 15}" text-anchor="end">${who}</text><text x="${(188 + width).toFixed(1)}" y="${y + 15}">${number.format(value)} ${unit}</text>`,
      );
      y += 26;
    }
    y += 16;
    return rows.join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="680" height="${y}" viewBox="0 0 680 ${y}" font-family="system-ui, sans-serif" font-size="14"><title>Pollcast beside other brokers</title><rect width="680" height="${y}" fill="#ffffff"/>${parts.join('')}</svg>\n`;
}
