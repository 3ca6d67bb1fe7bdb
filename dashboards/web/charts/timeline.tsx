import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { formatNumber, formatTime, say } from '../words/language.ts';
import { DataTable } from './data-table.tsx';

/** How often the course of an open poll is read again, ms. */
const READ_EVERY_MS = 5_000;
/** Lines of the table: the course in so many steps. */
const TABLE_ROWS = 12;

interface Course {
  readonly stepMs: number;
  readonly points: readonly { readonly at: string; readonly votes: number }[];
}

/** Votes per second over a poll's round; nothing where no time series are kept. */
export function Timeline({
  poll,
  round,
  isFinal,
  headers = {},
}: {
  poll: string;
  round: number;
  isFinal: boolean;
  headers?: Readonly<Record<string, string>>;
}) {
  const [course, setCourse] = useState<Course | 'none'>();
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let isGone = false;
    const read = async () => {
      if (document.hidden) return;
      const response = await fetch(`/api/polls/${encodeURIComponent(poll)}/timeline`, { headers }).catch(
        () => undefined,
      );
      if (isGone) return;
      if (response?.status === 404) setCourse('none');
      else if (response?.ok) setCourse(await response.json());
    };
    void read();
    const timer = isFinal ? undefined : setInterval(read, READ_EVERY_MS);
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, [poll, round, isFinal]);

  const times = course && course !== 'none' ? course.points.map(({ at }) => Date.parse(at)) : [];
  const rates = course && course !== 'none' ? ratesOf(course) : [];
  useEffect(() => {
    const element = holder.current;
    if (!element || rates.length === 0) return;
    return draw(element, times, rates);
  }, [course]);

  if (course === 'none') return <p class="what">{say('timeline.none')}</p>;
  const most = Math.max(0, ...rates);
  const step = Math.max(1, Math.ceil(rates.length / TABLE_ROWS));
  const rows = rates.flatMap((_, i) => {
    if (i % step !== 0) return [];
    const some = rates.slice(i, i + step);
    return [[formatTime(times[i] ?? 0, 'time'), formatNumber(some.reduce((a, b) => a + b, 0) / some.length, 1)]];
  });
  return (
    <div class="chart">
      <p class="what">{say('timeline.most', { n: formatNumber(most, 1) })}</p>
      <div class="timeline" ref={holder} aria-hidden="true" />
      <DataTable caption={say('view.timeline')} columns={[say('table.time'), say('timeline.rate')]} rows={rows} />
    </div>
  );
}

/** Votes per second in each step; the points tell how many had been received at its end. */
function ratesOf({ stepMs, points }: Course): number[] {
  return points.map(({ votes }, i) => ((votes - (points[i - 1]?.votes ?? 0)) * 1_000) / stepMs);
}

/** Draws with uPlot, which is loaded when it is needed; returns what takes the drawing away. */
function draw(element: HTMLElement, times: readonly number[], rates: readonly number[]): () => void {
  let plot: uPlot | undefined;
  let isGone = false;
  const paint = async () => {
    const { default: Plot } = await import('uplot');
    if (isGone) return;
    plot?.destroy();
    const style = getComputedStyle(element);
    const ink = style.getPropertyValue('--soft').trim();
    const size = Math.max(11, Math.min(24, element.clientWidth / 60));
    const axis = { stroke: ink, font: `${size}px ${style.fontFamily}`, ticks: { show: false } };
    plot = new Plot(
      {
        width: element.clientWidth,
        height: element.clientHeight,
        legend: { show: false },
        cursor: { show: false },
        series: [
          {},
          {
            stroke: style.getPropertyValue('--lead').trim(),
            width: 3,
            fill: style.getPropertyValue('--wash').trim(),
            points: { show: rates.length < 3 },
          },
        ],
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: size * 2.2,
            values: (_, all) => all.map((at) => formatTime(at * 1000, 'tick')),
            space: size * 8,
          },
          { ...axis, grid: { stroke: style.getPropertyValue('--track').trim() }, size: size * 4 },
        ],
        scales: { y: { range: (_, _min, max) => [0, Math.max(1, max)] } },
      },
      [times.map((at) => at / 1000), [...rates]],
      element,
    );
  };
  void paint();
  const observer = new ResizeObserver(() => void paint());
  observer.observe(element);
  const theme = matchMedia('(prefers-color-scheme: dark)');
  theme.addEventListener('change', paint);
  return () => {
    isGone = true;
    observer.disconnect();
    theme.removeEventListener('change', paint);
    plot?.destroy();
  };
}
