/** Figures of several contenders under one workload: a bar for each figure, beside each other. */
export interface BarChart {
  readonly name: string;
  readonly figures: readonly Figure[];
  readonly rows: readonly ChartRow[];
}

/** A figure that is drawn, such as votes/s. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
}

/** The values of one contender, one for each figure; NaN if it has none. */
export interface ChartRow {
  readonly who: string;
  readonly values: readonly number[];
}

const TEXT_WIDTH = 24;
const WIDTH = 900;
const NAMES = 190;
const ROW = 24;
/** The space that a value needs beside its bar. */
const VALUE = 96;

/** A number as people read it: with thousands separators, and decimals only if it is small. */
export function shown(value: number): string {
  if (Number.isNaN(value)) return '–';
  const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return new Intl.NumberFormat('en', { maximumFractionDigits: decimals }).format(value);
}

/** The charts as horizontal bars for a terminal. */
export function chartText(charts: readonly BarChart[]): string {
  return charts
    .map(({ name, figures, rows }) => {
      const lines = rows.map(({ who, values }) => {
        const cells = figures.map(({ unit }, i) => {
          const bar = '█'.repeat(Math.round(shareOf(rows, values, i) * TEXT_WIDTH));
          return `${bar} ${shown(values[i] ?? Number.NaN)} ${unit}`.padEnd(TEXT_WIDTH + 18);
        });
        return `  ${who.padEnd(30)} ${cells.join('')}`.trimEnd();
      });
      const head = figures.map((figure) => figure.name.padEnd(TEXT_WIDTH + 18)).join('');
      return [name, `  ${''.padEnd(30)} ${head}`.trimEnd(), ...lines].join('\n');
    })
    .join('\n\n');
}

/** The charts as an SVG image, which follows the reader’s choice of a light or dark background. @param note a last line */
export function chartSvg(charts: readonly BarChart[], title: string, note: string): string {
  let y = 20;
  const parts = charts.map(({ name, figures, rows }) => {
    const width = (WIDTH - NAMES - 10) / figures.length;
    const texts = [text(10, y + 14, name, 'class="strong"')];
    figures.forEach((figure, i) => {
      texts.push(text(NAMES + i * width, y + 36, `${figure.name}, ${figure.unit}`, 'class="faint"'));
    });
    y += 44;
    for (const { who, values } of rows) {
      texts.push(text(NAMES - 10, y + 15, who, 'text-anchor="end"'));
      figures.forEach((_, i) => {
        const long = Math.max(2, shareOf(rows, values, i) * (width - VALUE));
        const x = NAMES + i * width;
        const bar = who.startsWith('Pollcast') ? 'ours' : 'others';
        if (!Number.isNaN(values[i] ?? Number.NaN)) {
          texts.push(`<rect class="${bar}" x="${x}" y="${y + 1}" width="${long.toFixed(1)}" height="18" rx="3"/>`);
        }
        texts.push(text(x + long + 8, y + 15, shown(values[i] ?? Number.NaN)));
      });
      y += ROW;
    }
    y += 22;
    return texts.join('');
  });
  return svgImage(WIDTH, y + 20, title, `${parts.join('')}${text(10, y + 4, note, 'class="faint"')}`);
}

/** An SVG image in the colours of all charts. @param body elements with the classes below */
export function svgImage(width: number, height: number, title: string, body: string): string {
  const colours = (paper: string, ink: string, faint: string, ours: string, others: string) =>
    `.paper{fill:${paper}}text{fill:${ink}}.faint{fill:${faint}}.ours{fill:${ours}}.others{fill:${others}}.line{stroke:${ours};fill:none;stroke-width:2}.axis{stroke:${faint};fill:none;stroke-width:1}`;
  const style = `${colours('#ffffff', '#1d2330', '#5b6579', '#3b6fe0', '#9aa5bb')}.strong{font-weight:700}@media(prefers-color-scheme:dark){${colours('#12161f', '#e8ecf4', '#9aa5bb', '#6f9bff', '#5b6579')}}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13"><title>${escaped(title)}</title><style>${style}</style><rect class="paper" width="${width}" height="${height}" rx="8"/>${body}</svg>\n`;
}

/** A text of an SVG image. */
export function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(content)}</text>`;
}

function shareOf(rows: readonly ChartRow[], values: readonly number[], figure: number): number {
  const most = Math.max(...rows.map((row) => row.values[figure] ?? Number.NaN).filter((value) => !Number.isNaN(value)));
  const share = (values[figure] ?? Number.NaN) / most;
  return Number.isFinite(share) ? share : 0;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
