import { useEffect, useState } from 'preact/hooks';
import { thresholdsIn } from '../../../core/voting/result/percent.ts';
import type { Result } from '../../../core/voting/result/result.ts';
import type { View } from '../charts/drawing.ts';
import { FinalOutcome } from '../charts/outcome/final-outcome.tsx';
import { Timeline } from '../charts/timeline.tsx';
import { Countdown } from '../clock/countdown.tsx';
import { Chart } from '../poll/chart.tsx';
import { useRounds } from '../poll/past-results.ts';
import { RoundCharts } from '../poll/round-charts.tsx';
import { Status, statusOf } from '../poll/status.tsx';
import { drawingsOf, viewsOf } from '../poll/views.ts';
import { formatNumber, formatShare, formatTime, say, sayCount } from '../words/language.ts';
import { useBoard } from './board.ts';
import { Controls, toggleFullScreen } from './controls.tsx';
import { useCurtain } from './curtain.ts';
import { type Target, useTarget } from './follow.ts';
import { Join, type JoinWay, useJoin } from './join.tsx';
import { toggle, useKeys } from './keys.ts';
import { Narrator } from './narrator.tsx';

/** The rounds to show side by side (`?round=1,2`); if there are none, the current one. */
const ROUNDS = (new URLSearchParams(location.search).get('round') ?? '')
  .split(',')
  .map(Number)
  .filter((round) => Number.isSafeInteger(round) && round > 0);

/** What the presenter chose to show in a round. */
interface Chosen {
  readonly round: string;
  readonly view?: View | undefined;
  /** The index of the round in a multi-round count, from 0. */
  readonly step?: number;
}

/** The page for a big screen: the question, its live result, and how to join. */
export function Presenter({ target }: { target: Target }) {
  const { result, definition, skewMs, line, refused } = useTarget(target);
  const [chosen, choose] = useState<Chosen>({ round: '' });
  const { isHidden, isOnlyHere, toggle: toggleCurtain } = useCurtain(result);
  const [isHelp, setHelp] = useState(false);
  /** Single-character shortcuts can be turned off: speech input may trigger them by accident [WCAG 2.1.4]. */
  const [areLetters, setLetters] = useState(true);
  const room = 'room' in target ? target.room : definition.room;
  const rounds = useRounds(result, ROUNDS);
  const join = useJoin(room);
  const board = useBoard(result, room);

  const views = result ? viewsOf(result, { leaderboard: board !== undefined, join: join !== undefined }) : [];
  // A choice for one round does not apply to the next.
  const roundKey = result ? `${result.poll}/${result.round}` : '';
  const { view: wanted, step = Number.POSITIVE_INFINITY } = chosen.round === roundKey ? chosen : {};
  const view = wanted && views.includes(wanted) ? wanted : views[0];
  const drawing = result && !result.hidden ? drawingsOf(result).find((one) => one.view === view) : undefined;
  const steps = drawing?.steps ?? 0;
  useEffect(() => {
    document.title = result?.title ? `${result.title} – Pollcast` : 'Pollcast';
  }, [result?.title]);

  const turn = (by: number): boolean => {
    const at = views.indexOf(view as View);
    choose({ round: roundKey, view: views[(at + by + views.length) % views.length] });
    return views.length > 1;
  };
  const go = (by: number): boolean => {
    choose({ round: roundKey, view, step: Math.max(0, Math.min(steps - 1, Math.min(step, steps - 1) + by)) });
    return steps > 1;
  };
  useKeys({
    ' ': toggleCurtain,
    ArrowRight: () => turn(1),
    ArrowLeft: () => turn(-1),
    PageDown: () => turn(1),
    PageUp: () => turn(-1),
    ArrowDown: () => steps > 1 && go(1),
    ArrowUp: () => steps > 1 && go(-1),
    f: () => areLetters && toggleFullScreen(),
    '?': () => areLetters && toggle(setHelp),
    Escape: () => isHelp && toggle(setHelp),
  });

  if (!result) return <Waiting room={'room' in target ? room : undefined} join={join} line={line} refused={refused} />;
  const status = statusOf(result, !result.hidden && !isHidden);
  const isUnpublished = result.status === 'draft' || (result.status === 'opening' && result.title === '');
  return (
    <div class="screen" data-status={status}>
      <header>
        <p class="state">
          <Status status={status} />
          {result.closingAt && result.status === 'open' && <Countdown until={result.closingAt} skewMs={skewMs} />}
          {result.final && <Seal result={result} />}
        </p>
        <h1 dir="auto">{isUnpublished ? say('unasked') : result.title}</h1>
      </header>
      <main>
        <div class="stage">
          {isUnpublished ? (
            <p class="what">{say('unasked.more')}</p>
          ) : isHidden && view !== 'join' ? (
            <div class="curtain">
              <p>{say('hidden.byPresenter')}</p>
              {isOnlyHere && <p class="hint">{say('hidden.onlyHere')}</p>}
            </div>
          ) : rounds.length > 0 && view !== 'join' ? (
            <RoundCharts rounds={rounds} view={view} definition={definition} />
          ) : view === 'timeline' ? (
            <Timeline poll={result.poll} round={result.round} isFinal={result.final} />
          ) : view === 'join' && join ? (
            <Join way={join} large />
          ) : (
            view && <Chart result={result} view={view} definition={definition} step={step} board={board} />
          )}
          {result.hidden && !isHidden && !isUnpublished && rounds.length === 0 && (
            <p class="what">{say('hidden.byPoll')}</p>
          )}
          {!isHidden && rounds.length === 0 && <FinalOutcome result={result} />}
        </div>
        {join && view !== 'join' && result.status === 'open' && <Join way={join} />}
      </main>
      <footer>
        <Turnout result={result} />
        {(line === 'lost' || line === 'refused') && (
          <p class="line" role="status">
            {say('line.lost')}
          </p>
        )}
        <Controls
          view={views.length > 1 ? view : undefined}
          onTurn={turn}
          step={steps > 1 ? { at: step, of: steps } : undefined}
          onStep={go}
          isHidden={isHidden}
          onHide={toggleCurtain}
          isHelp={isHelp}
          onHelp={() => toggle(setHelp)}
        />
      </footer>
      {isHelp && (
        <aside class="help" role="note">
          <p>{say('help.keys')}</p>
          <label>
            <input
              type="checkbox"
              checked={areLetters}
              onChange={({ currentTarget }) => setLetters(currentTarget.checked)}
            />{' '}
            {say('help.letters')}
          </label>
        </aside>
      )}
      <Narrator result={result} isHidden={isHidden} />
    </div>
  );
}

/** For this many ms after the last logged vote or marker, the seal says that a recount is in progress. */
const RECOUNT_SOON_MS = 60_000;

/** Whether a recount from the log confirmed the final result. */
function Seal({ result: { recount, at } }: { result: Result }) {
  const isSoon = at !== null && Date.now() - Date.parse(at) < RECOUNT_SOON_MS;
  if (!recount) return isSoon ? <span class="seal">{say('seal.pending')}</span> : null;
  return (
    <span class="seal" data-agrees={recount.agrees}>
      <span aria-hidden="true">{recount.agrees ? '✓ ' : '⚠ '}</span>
      {say(recount.agrees ? 'seal.agrees' : 'seal.differs', { time: formatTime(recount.at, 'time') })}
    </span>
  );
}

function Turnout({ result }: { result: Result }) {
  const { ballots, turnout } = result;
  const late = result.hidden ? undefined : result.late;
  return (
    <p class="turnout">
      <strong>{ballots === null ? '–' : formatNumber(ballots)}</strong> {sayCount('ballots.word', ballots ?? 0)}
      {turnout?.entitled != null && (
        <span>
          {' '}
          ·{' '}
          {say('turnout', {
            share: formatShare(turnout.share ?? 0, thresholdsIn(result)),
            entitled: formatNumber(turnout.entitled),
          })}
        </span>
      )}
      {late !== undefined && late > 0 && <span> · {sayCount('late', late)}</span>}
    </p>
  );
}

/** Shown until there is a question, or if the poll does not exist. */
function Waiting(props: {
  room: string | undefined;
  join: JoinWay | undefined;
  line: string;
  refused: number | undefined;
}) {
  const { room, join, line, refused } = props;
  const isLost = line === 'lost' || (line === 'refused' && refused !== 404);
  const isUnknown = refused === 404 && !room;
  const text = isUnknown
    ? say('wait.noPoll')
    : isLost
      ? say('line.lost')
      : room
        ? say('wait.room')
        : say('wait.stream');
  return (
    <div class="screen" data-status="waiting">
      <header>
        <h1>{text}</h1>
        <p class="unseen" role="status">
          {text}
        </p>
      </header>
      <main>{join ? <Join way={join} large /> : <div />}</main>
    </div>
  );
}
