// @ts-check
import { followPoll } from './stream.js';
import { drawTimeline } from './timeline.js';

/** From this many options on, bars are drawn small. */
const MANY_OPTIONS = 8;

const STATUS = {
  draft: 'Not open yet',
  opening: 'Opening…',
  open: 'Voting is open',
  grace: 'Voting is over, late votes are coming in…',
  closing: 'Closing…',
  closed: 'Voting is closed',
  final: 'Final result',
};

const whole = new Intl.NumberFormat('en');
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1, minimumFractionDigits: 1 });
const decimal = new Intl.NumberFormat('en', { maximumFractionDigits: 2, minimumFractionDigits: 2 });

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const poll = decodeURIComponent(location.pathname.split('/').at(-1) ?? '');
/** Rows by option key. @type {Map<string, { row: HTMLElement, fill: HTMLElement, share: Text, count: Text, label: Text }>} */
const rows = new Map();
/** @type {any} */
let waiting;

const timeline = drawTimeline(
  poll,
  element('timeline'),
  /** @type {any} */ (document.getElementById('timeline-picture')),
  element('timeline-caption'),
);

followPoll(poll, {
  onResult(result) {
    // Several changes within one screen refresh are one drawing.
    if (!waiting) requestAnimationFrame(draw);
    waiting = result;
  },
  onLine(isUp) {
    element('line').textContent = isUp ? '' : 'Connection lost, reconnecting…';
  },
});

function draw() {
  const result = waiting;
  waiting = undefined;
  const status = /** @type {keyof typeof STATUS} */ (result.final ? 'final' : result.status);
  setText(element('status'), STATUS[status] ?? result.status);
  element('status').dataset.status = status;
  setText(element('title'), result.title || poll);
  document.title = `${result.title || poll} – results`;
  drawBars(result);
  setText(element('ballots'), result.ballots === null ? '–' : whole.format(result.ballots));
  setText(element('ballots-word'), result.ballots === 1 ? 'ballot' : 'ballots');
  drawExtra(result);
  timeline.moved(!result.hidden && result.round > 0, result.final === true);
  setText(element('note'), noteOf(result));
}

/** @param {any} result */
function drawBars({ options, hidden }) {
  const bars = element('bars');
  const keys = options.map((/** @type {any} */ option) => option.key);
  if (keys.join() !== [...rows.keys()].join()) {
    rows.clear();
    bars.replaceChildren(...options.map(makeRow));
    bars.toggleAttribute('data-many', options.length >= MANY_OPTIONS);
  }
  const most = Math.max(...options.map((/** @type {any} */ option) => option.count ?? 0));
  for (const { key, label, count, share } of options) {
    const row = rows.get(key);
    if (!row) continue;
    row.label.data = label;
    row.share.data = hidden ? '' : percent.format(share);
    row.count.data = hidden ? '' : whole.format(count);
    row.fill.style.transform = `scaleX(${share ?? 0})`;
    row.row.toggleAttribute('data-lead', count > 0 && count === most);
  }
}

/** @param {any} option */
function makeRow({ key, label }) {
  const row = document.createElement('li');
  const name = make('span', 'label');
  const badge = make('span', 'key');
  const text = make('span', '');
  text.dir = 'auto';
  const value = make('span', 'value');
  const count = make('span', 'count');
  const track = make('div', 'track');
  const fill = make('div', 'fill');
  const texts = { share: new Text(), count: new Text(), label: new Text() };
  badge.textContent = key;
  text.append(texts.label);
  // A rating's grade is its own label: once is enough.
  if (key !== label) name.append(badge);
  name.append(text);
  count.append(texts.count);
  value.append(texts.share, count);
  track.setAttribute('aria-hidden', 'true');
  track.append(fill);
  row.append(name, value, track);
  rows.set(key, { row, fill, ...texts });
  return row;
}

/** @param {any} result */
function drawExtra({ kind, mean, selections, shareOf, verdict, hidden }) {
  const extra = element('extra');
  let text = '';
  if (!hidden && typeof mean === 'number') text = `mean ${decimal.format(mean)}`;
  if (!hidden && kind === 'multiple') {
    const of = shareOf === 'selections' ? 'selections' : 'ballots';
    text = `${whole.format(selections)} selections; shares are of ${of}`;
  }
  if (!hidden && typeof verdict?.adopted === 'boolean') text = verdict.adopted ? 'Adopted' : 'Not adopted';
  if (!hidden && verdict?.quorate === false) text = `${text ? `${text}; ` : ''}the quorum was not reached`;
  extra.hidden = text === '';
  setText(extra, text);
}

/** @param {any} result */
function noteOf({ hidden, status, options }) {
  if (status === 'draft') return 'The question appears here when voting opens.';
  if (hidden && options.length > 0) return 'Figures are not shown yet.';
  return '';
}

/**
 * Sets a text only when it differs, so that screen readers are told of changes alone.
 * @param {HTMLElement} target
 * @param {string} text
 */
function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * @param {string} tag
 * @param {string} className
 */
function make(tag, className) {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}
