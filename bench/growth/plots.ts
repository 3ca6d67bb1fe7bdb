import { shown, svgImage, text } from '../chart.ts';

/** How figures change while something grows. */
export interface Plot {
  readonly name: string;
  readonly figures: readonly PlotFigure[];
}

/** A curve; values that were not measured are NaN. */
export interface PlotFigure {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 960;
const HEIGHT = 170;
const GAP = 60;

/** Draws a row for each plot, with a curve for each figure, beside each other. What grows is on a logarithmic scale. */
export function plotsSvg(plots: readonly Plot[], title: string, note: string): string {
  const rows = plots.map(({ name, figures }, row) => {
    const top = 16 + row * HEIGHT;
    const width = WIDTH / figures.length;
    const curves = figures.map((figure, i) => curve(figure, i * width + GAP, top + 48, width - GAP - 18, HEIGHT - 88));
    return `${text(14, top + 14, name, 'class="strong"')}${curves.join('')}`;
  });
  const end = plots.length * HEIGHT + 20;
  return svgImage(WIDTH, end + 24, title, `${rows.join('')}${text(14, end + 8, note, 'class="faint"')}`);
}

function curve({ name, unit, points }: PlotFigure, left: number, top: number, width: number, height: number): string {
  const known = points.filter(({ y }) => !Number.isNaN(y));
  const most = Math.max(0, ...known.map(({ y }) => y)) || 1;
  const [first, last] = [Math.log(known[0]?.x ?? 1), Math.log(known.at(-1)?.x ?? 1)];
  const at = ({ x, y }: { x: number; y: number }) => ({
    x: left + (last > first ? (Math.log(x) - first) / (last - first) : 0.5) * width,
    y: top + height - (y / most) * height,
  });
  const places = known.map(at);
  const path = places.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  const dots = places.map(({ x, y }) => `<circle class="ours" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3"/>`);
  const below = known.map((point) =>
    text(at(point).x, top + height + 16, shown(point.x), 'text-anchor="middle" class="faint"'),
  );
  return [
    text(left, top - 12, `${name}, ${unit}`, 'class="faint"'),
    `<path class="axis" d="M${left} ${top}V${top + height}H${left + width}"/>`,
    text(left - 5, top + 9, shown(most), 'text-anchor="end" class="faint"'),
    text(left - 5, top + height, '0', 'text-anchor="end" class="faint"'),
    `<polyline class="line" points="${path}"/>`,
    ...dots,
    ...below,
  ].join('');
}
