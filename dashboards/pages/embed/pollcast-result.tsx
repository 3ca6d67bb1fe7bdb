/**
 * `<pollcast-result poll="lunch"></pollcast-result>`: a live result, on any page whose origin is in `POLLCAST_EMBED_ORIGINS`.
 * Attributes: `poll` or `room`; `server`, the address of Pollcast (default: where this script comes from); `view`, one of the
 * views that fit the poll. The language is that of the page. Each result is also dispatched as an event `pollcast-result`, with
 * the result as `detail`.
 */
import { render } from 'preact';
import { followPoll, followRoom, type Line } from '../../../client/stream.ts';
import type { Result } from '../../../core/voting/result/result.ts';
import chartsCss from '../charts/charts.css';
import type { View } from '../charts/drawing.ts';
import { FinalOutcome } from '../charts/outcome/final-outcome.tsx';
import tablesCss from '../charts/table/tables.css';
import { Chart } from '../poll/chart.tsx';
import { Status, statusOf } from '../poll/status.tsx';
import { viewsOf } from '../poll/views.ts';
import unseenCss from '../theme/unseen.css';
import { LANGUAGES, type Language, say, sayCount, useLanguage } from '../words/language.ts';
import embedCss from './embed.css';

const SERVER = new URL('..', import.meta.url).href;

class PollcastResult extends HTMLElement {
  static observedAttributes = ['poll', 'room', 'server', 'view'];
  private readonly root = this.attachShadow({ mode: 'open' });
  private stop: (() => void) | undefined;
  private result: Result | undefined;
  private line: Line | 'connecting' = 'connecting';
  private frame = 0;

  constructor() {
    super();
    // A constructed style sheet also works on pages whose content security policy forbids style elements.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`${embedCss}${chartsCss}${tablesCss}${unseenCss}`);
    this.root.adoptedStyleSheets = [sheet];
  }

  connectedCallback(): void {
    void this.begin();
  }

  disconnectedCallback(): void {
    this.stop?.();
    this.stop = undefined;
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  attributeChangedCallback(): void {
    if (this.isConnected && this.stop) void this.begin();
  }

  private async begin(): Promise<void> {
    this.stop?.();
    this.result = undefined;
    const base = this.getAttribute('server') ?? SERVER;
    const room = this.getAttribute('room');
    const listener = {
      onResult: (result: Result) => {
        this.result = result;
        this.dispatchEvent(new CustomEvent('pollcast-result', { detail: result }));
        this.draw();
      },
      onLine: (line: Line, refused?: number) => {
        // A room without a poll is as good as one in which nothing is asked yet.
        this.line = refused === 404 && room !== null ? 'connecting' : line;
        this.draw();
      },
      onRoom: () => {
        this.result = undefined;
        this.draw();
      },
    };
    const options = { base: base.replace(/\/+$/, '') };
    this.stop =
      room === null
        ? followPoll(this.getAttribute('poll') ?? '', listener, options)
        : followRoom(room, listener, options);
    const language = (this.closest('[lang]')?.getAttribute('lang') ?? navigator.language).slice(0, 2);
    if (Object.hasOwn(LANGUAGES, language)) await useLanguage(language as Language, undefined, { isPage: false });
    this.draw();
  }

  /** Changes within one frame are rendered together. */
  private draw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const view = this.getAttribute('view') as View | null;
      render(<Embedded result={this.result} line={this.line} view={view} />, this.root);
    });
  }
}

function Embedded({
  result,
  line,
  view,
}: {
  result: Result | undefined;
  line: Line | 'connecting';
  view: View | null;
}) {
  if (!result) {
    return <p class="what">{say(line === 'lost' || line === 'refused' ? 'line.lost' : 'wait.stream')}</p>;
  }
  const views = viewsOf(result, { leaderboard: false, join: false });
  const shown = view && views.includes(view) ? view : views[0];
  return (
    <section class="embedded" aria-label={result.title}>
      <Status status={statusOf(result, !result.hidden)} />
      <h3 dir="auto">{result.title || say('unasked')}</h3>
      {shown && shown !== 'timeline' && <Chart result={result} view={shown} />}
      {result.hidden && <p class="what">{say(result.curtain ? 'hidden.byPresenter' : 'hidden.byPoll')}</p>}
      <FinalOutcome result={result} />
      {result.ballots !== null && <p class="what">{sayCount('ballots', result.ballots)}</p>}
      {(line === 'lost' || line === 'refused') && <p class="what">{say('line.lost')}</p>}
    </section>
  );
}

if (!customElements.get('pollcast-result')) customElements.define('pollcast-result', PollcastResult);
