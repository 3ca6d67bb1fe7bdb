import { useEffect, useRef, useState } from 'preact/hooks';
import { WITHDRAW } from '../../../core/voting/count/vote.ts';
import type { Question } from '../ballot/form.ts';
import { FinalOutcome } from '../charts/outcome/final-outcome.tsx';
import { Countdown } from '../clock/countdown.tsx';
import { kindFormOf } from '../kinds/index.ts';
import { BallotForm } from '../poll/ballot-form.tsx';
import { Chart } from '../poll/chart.tsx';
import { Status } from '../poll/status.tsx';
import { viewsOf } from '../poll/views.ts';
import { say, sayCount, sayIfKnown } from '../words/language.ts';
import { LanguageChoice } from '../words/language-choice.tsx';
import { Booth } from './booth/booth.ts';
import type { OwnVote } from './booth/outbox.ts';
import type { BoothState } from './booth/state.ts';
import { CodeForm } from './code-form.tsx';
import { Nickname } from './nickname.tsx';

/** The voting page of a room: the question, this phone’s vote, and whether it was accepted. */
export function VoterPage({ room }: { room: string }) {
  const [state, setState] = useState<BoothState>();
  const [, redraw] = useState(0);
  const booth = useRef<Booth>(undefined);
  useEffect(() => {
    booth.current = new Booth(room, setState);
    void booth.current.start();
  }, []);
  const title = state?.question?.title;
  useEffect(() => {
    document.title = `${title ?? say('vote.room', { room })} – Pollcast`;
  }, [title]);
  return (
    <div class="phone">
      <header>
        <p class="room" dir="auto">
          {say('vote.room', { room })}
        </p>
        <LanguageChoice onChange={() => redraw((n) => n + 1)} />
      </header>
      <main>
        {state && (
          <Room
            state={state}
            onCast={(choice) => booth.current?.cast(choice)}
            onCode={(code) => booth.current?.enterCode(code)}
            onReturn={() => void booth.current?.start()}
          />
        )}
      </main>
      <footer>
        {state?.phase === 'voting' && (
          <>
            <Nickname />
            <LineState state={state} />
          </>
        )}
      </footer>
    </div>
  );
}

function LineState({ state }: { state: BoothState }) {
  return (
    <p class="line" role="status" data-up={state.isUp}>
      <span aria-hidden="true">{state.isUp ? '●' : '○'}</span>{' '}
      {say(state.isUp ? 'vote.online' : navigator.onLine && !state.isKnown ? 'vote.connecting' : 'vote.offline')}
    </p>
  );
}

interface RoomProps {
  readonly state: BoothState;
  readonly onCast: (choice: string) => void;
  readonly onCode: (code: string) => void;
  readonly onReturn: () => void;
}

function Room({ state, onCast, onCode, onReturn }: RoomProps) {
  if (state.phase === 'elsewhere') {
    return (
      <section class="card">
        <h1>{say('vote.elsewhere')}</h1>
        <button type="button" class="send" onClick={onReturn}>
          {say('vote.here')}
        </button>
      </section>
    );
  }
  if (state.asks) return <CodeForm asks={state.asks} onCode={onCode} />;
  if (state.hasNoRoom) {
    return (
      <section class="card">
        <h1>{say('vote.none')}</h1>
        <p>{say('vote.noRoom')}</p>
      </section>
    );
  }
  if (state.phase === 'joining' || !state.isKnown) {
    const text = state.problem ? say('vote.cannotJoin', { why: state.problem }) : say('vote.joining');
    return (
      <section class="card">
        <h1>{text}</h1>
      </section>
    );
  }
  if (!state.question) {
    return (
      <section class="card">
        <h1>{say('vote.none')}</h1>
        <p>{say('vote.none.more')}</p>
      </section>
    );
  }
  const { question } = state;
  return <QuestionCards key={`${question.poll}/${question.round}`} state={state} question={question} onCast={onCast} />;
}

function QuestionCards({
  state,
  question,
  onCast,
}: {
  state: BoothState;
  question: Question;
  onCast: (choice: string) => void;
}) {
  const { vote, result, skewMs } = state;
  const { status, revote, withdraw, secrecy, closingAt } = question;
  const isFinal = result?.final === true && !result.hidden && result.round === question.round;
  const mayVote = question.eligible === undefined || question.eligible === 'anyone' || question.eligible === 'guests';
  const isOpen = status === 'open';
  const isFixed = revote === 'first' && vote !== undefined && vote.state !== 'rejected';
  // A rejected choice stays in the form, so that it can be corrected.
  const cast = vote && vote.choice !== WITHDRAW ? vote.choice : undefined;
  return (
    <>
      <section class="card">
        <p class="state">
          <Status status={isFinal ? 'final' : status} />
          {isOpen && closingAt && <Countdown until={closingAt} skewMs={skewMs} />}
        </p>
        <h1 dir="auto">{question.title}</h1>
        {secrecy === 'secret' && <p class="hint">{say('vote.secret')}</p>}
        {!mayVote && <p class="hint">{say('vote.mayNot')}</p>}
        {mayVote && isOpen && !isFixed && (
          <BallotForm
            question={question}
            cast={cast}
            isInstant={revote === 'last'}
            isDisabled={false}
            onCast={onCast}
          />
        )}
        {mayVote && !isOpen && !vote && <p>{say('vote.over')}</p>}
        <VoteState question={question} vote={vote} />
        {mayVote && isOpen && withdraw && cast !== undefined && (
          <button type="button" class="quiet" onClick={() => onCast(WITHDRAW)}>
            {say('vote.withdraw')}
          </button>
        )}
        {isOpen && vote?.state === 'accepted' && !kindFormOf(question).isRepeated && (
          <p class="hint">{say(revote === 'first' ? 'vote.onlyOnce' : 'vote.again')}</p>
        )}
        {question.curtain && <p class="hint">{say('hidden.byPresenter')}</p>}
      </section>
      {result && !result.hidden && result.round === question.round && (
        <section class="card result" aria-label={say('vote.result')}>
          <h2>{say('vote.result')}</h2>
          <Chart
            result={result}
            view={viewsOf(result, { leaderboard: false, join: false })[0] ?? 'bars'}
            definition={question}
          />
          <FinalOutcome result={result} />
          {result.ballots !== null && <p class="hint">{sayCount('ballots', result.ballots)}</p>}
        </section>
      )}
    </>
  );
}

const SIGNS = { queued: '⏳', sent: '↑', accepted: '✓', rejected: '✗', unclear: '?' } as const;

/** This phone’s vote, and whether it was accepted. */
function VoteState({ question, vote }: { question: Question; vote: OwnVote | undefined }) {
  const text = vote && stateText(vote, question);
  return (
    <div class="vote" role="status" data-state={vote?.state}>
      {vote && (
        <>
          <p class="what-voted" dir="auto">
            {vote.choice === WITHDRAW
              ? say('vote.withdrawn')
              : say('vote.yours', { choice: kindFormOf(question).choiceText(vote.choice, question) })}
          </p>
          <p class="became">
            <span aria-hidden="true">{SIGNS[vote.state]}</span> {text}
          </p>
        </>
      )}
    </div>
  );
}

function stateText({ state, isUndecided, reason = '' }: OwnVote, { revote }: Question): string {
  // This phone numbers its votes and does not offer a second one where only the first counts, so just a maximum is left.
  const isLimited = revote !== 'last' && revote !== 'first';
  if (state === 'accepted' && isUndecided && isLimited) return say('state.recorded');
  if (state !== 'rejected') return say(`state.${state}`);
  return say('state.rejected', { reason: sayIfKnown(`reason.${reason}`) ?? reason });
}
