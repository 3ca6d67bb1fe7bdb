// @ts-check

/** How often the course of an open poll is read again, ms. */
const READ_EVERY_MS = 5_000;
const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 600;
const HEIGHT = 60;

/**
 * Draws the votes per second of a poll's round, and keeps the drawing up to date. Where no time series are kept, or
 * figures are hidden, there is nothing to see.
 *
 * @param {string} poll
 * @param {HTMLElement} figure what is hidden and shown
 * @param {SVGElement} picture
 * @param {HTMLElement} caption
 */
export function drawTimeline(poll, figure, picture, caption) {
  let isVisible = false;
  let isFinal = false;
  let isKept = true;
  let drawn = '';
  setInterval(() => {
    if (isVisible && !isFinal && !document.hidden) void read();
  }, READ_EVERY_MS);

  return {
    /**
     * Tells what the stream said: whether figures may be seen, and whether they can change any more.
     * @param {boolean} visible
     * @param {boolean} final
     */
    moved(visible, final) {
      if (visible === isVisible && final === isFinal) return;
      isVisible = visible;
      isFinal = final;
      if (isVisible) void read();
      else figure.hidden = true;
    },
  };

  async function read() {
    if (!isKept) return;
    const response = await fetch(`/api/polls/${encodeURIComponent(poll)}/timeline`).catch(() => undefined);
    // No time series are kept here: asking again would not help.
    if (response?.status === 404) isKept = false;
    if (!response?.ok) return;
    const rates = ratesOf(await response.json());
    const most = Math.max(0, ...rates);
    figure.hidden = most === 0 || !isVisible;
    const path = pathOf(rates, most);
    if (path === drawn) return;
    drawn = path;
    const line = document.createElementNS(SVG, 'path');
    line.setAttribute('d', path);
    picture.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    picture.replaceChildren(line);
    caption.textContent = `Votes per second, at most ${Math.round(most * 10) / 10}`;
  }
}

/**
 * Votes per second in each step; the points tell how many had been received at its end.
 * @param {{ stepMs: number, points: { votes: number }[] }} timeline
 * @returns {number[]}
 */
export function ratesOf({ stepMs, points }) {
  return points.map(({ votes }, i) => ((votes - (points[i - 1]?.votes ?? 0)) * 1_000) / stepMs);
}

/**
 * The outline of a bar per step, as an SVG path.
 * @param {number[]} rates
 * @param {number} most
 */
function pathOf(rates, most) {
  if (most === 0) return '';
  const width = WIDTH / rates.length;
  const bars = rates.map((rate, i) => {
    const top = HEIGHT - (rate / most) * HEIGHT;
    return `V${top.toFixed(1)}H${((i + 1) * width).toFixed(2)}`;
  });
  return `M0 ${HEIGHT}${bars.join('')}V${HEIGHT}Z`;
}
