import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import type { TimelineAnswer } from '../../../client/answers.ts';
import { BASE } from '../base.ts';
import { formatNumber, formatTime, say } from '../words/language.ts';
import { DataTable } from './table/data-table.tsx';

/** The interval in ms at which the timeline is read again until the result is final. */
const READ_EVERY_MS = 5_000;
/** The maximum number of rows in the table. */
const TABLE_ROWS = 12;

/** Votes per second during a poll's round; a notice if the server records no time series. */
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
  const [data, setData] = useState<TimelineAnswer | 'none'>();
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let isGone = false;
    const read = async () => {
      if (document.hidden) return;
      const response = await fetch(`${BASE}/api/polls/${encodeURIComponent(poll)}/timeline?round=${round}`, {
        headers,
      }).catch(() => undefined);
      if (isGone) return;
      if (response?.status === 404) setData('none');
      else if (response?.ok) setData(await response.json());
    };
    void read();
    const timer = isFinal ? undefined : setInterval(read, READ_EVERY_MS);
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, [poll, round, isFinal]);

  const times = data && data !== 'none' ? data.points.map(({ at }) => Date.parse(at)) : [];
  const rates = data && data !== 'none' ? ratesOf(data) : [];
  useEffect(() => {
    const element = holder.current;
    if (!element || rates.length === 0) return;
    return draw(element, times, rates);
  }, [data]);

  if (data === 'none') return <p class="what">{say('timeline.none')}</p>;
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

/** Votes per second in each step; each point is the total at the end of its step. */
function ratesOf({ stepMs, points }: TimelineAnswer): number[] {
  return points.map(({ votes }, i) => ((votes - (points[i - 1]?.votes ?? 0)) * 1_000) / stepMs);
}

/** Draws with uPlot, which is loaded on demand. Returns a function that removes the drawing. */
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
