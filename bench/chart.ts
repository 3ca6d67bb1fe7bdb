/** The value of one contender. */
export interface ChartBar {
  readonly who: string;
  readonly value: number;
}

/** A bar chart with one bar per contender. */
export interface BarChart {
  readonly name: string;
  readonly unit: string;
  readonly bars: readonly ChartBar[];
}

const WIDTH = 40;
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const OURS = '#3b6fe0';
const OTHERS = '#9aa5bb';

/** The charts as horizontal bars for a terminal. */
export function chartText(charts: readonly BarChart[]): string {
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

/** The charts as an SVG image for the documentation. */
export function chartSvg(charts: readonly BarChart[]): string {
  let y = 16;
  const parts = charts.map(({ name, unit, bars }) => {
    const most = Math.max(...bars.map(({ value }) => value));
    const rows = [`<text x="10" y="${y + 10}" font-weight="700">${name}</text>`];
    y += 20;
    for (const { who, value } of bars) {
      const width = Math.max(2, (value / most) * 330);
      const fill = who.startsWith('Pollcast') ? OURS : OTHERS;
      rows.push(
        `<rect x="180" y="${y}" width="${width.toFixed(1)}" height="20" rx="4" fill="${fill}"/><text x="170" y="${y + 15}" text-anchor="end">${who}</text><text x="${(188 + width).toFixed(1)}" y="${y + 15}">${number.format(value)} ${unit}</text>`,
      );
      y += 26;
    }
    y += 16;
    return rows.join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="680" height="${y}" viewBox="0 0 680 ${y}" font-family="system-ui, sans-serif" font-size="14"><title>Pollcast compared with other brokers</title><rect width="680" height="${y}" fill="#ffffff"/>${parts.join('')}</svg>\n`;
}
