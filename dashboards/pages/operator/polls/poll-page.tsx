import { useState } from 'preact/hooks';
import type { PollAnswer } from '../../../../client/answers.ts';
import { ApiError } from '../../../../client/api.ts';
import { publicSees } from '../../../../core/voting/result/visibility.ts';
import type { View } from '../../charts/drawing.ts';
import { FinalOutcome } from '../../charts/outcome/final-outcome.tsx';
import { Timeline } from '../../charts/timeline.tsx';
import { Chart } from '../../poll/chart.tsx';
import { useRounds } from '../../poll/past-results.ts';
import { RoundCharts } from '../../poll/round-charts.tsx';
import { Status } from '../../poll/status.tsx';
import { viewsOf } from '../../poll/views.ts';
import { formatTime, say } from '../../words/language.ts';
import { useDesk } from '../context.ts';
import { useReading } from '../use-reading.ts';
import { tell, tellIfKnown } from '../words.ts';
import { AccountingPanel } from './accounting.tsx';
import { DecisionsPanel } from './decisions.tsx';
import { Embed } from './embed.tsx';
import { Exports } from './exports.tsx';
import { isModerated, ModerationPanel } from './moderation.tsx';
import { PollActions } from './poll-actions.tsx';
import { RehearsalPanel } from './rehearsal.tsx';
import { Responses } from './responses.tsx';
import { AudiencePanel } from './showing/audience.tsx';
import { RoundChoice } from './showing/round-choice.tsx';
import { roomScreenPath } from './showing/screen-path.ts';
import { useResults } from './use-polls.ts';

const READ_EVERY_MS = 4_000;

/** One poll: its live result, the accounting of its votes, who has answered, and every action. */
export function PollPage({ poll: id }: { poll: string }) {
  const { api, may } = useDesk();
  const [poll, setPoll] = useState<PollAnswer | 'gone'>();
  const result = useResults([id]).get(id);
  const [wanted, setView] = useState<View>();
  const [rounds, chooseRounds] = useState<readonly number[]>([]);
  const shown = useRounds(result, rounds, api.headers);
  const reload = async () => {
    try {
      setPoll(await api.poll(id));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) setPoll('gone');
    }
  };
  useReading(reload, READ_EVERY_MS, [id, result?.status]);

  if (poll === 'gone') return <p class="empty">{tell('poll.gone')}</p>;
  if (!poll) return <p class="empty">{say('wait.stream')}</p>;
  const views = result ? viewsOf(result, { leaderboard: false, join: false }) : [];
  const view = wanted && views.includes(wanted) ? wanted : views[0];
  const isFinal = result?.final === true;
  const isHiddenFinal = isFinal && !publicSees(poll, true);
  return (
    <>
      <div class="head">
        <div>
          <p class="crumb">
            <a href="#/polls">{tell('nav.polls')}</a> / {id}
          </p>
          <h1 dir="auto">{poll.title}</h1>
          <p class="hint">
            <Status status={isFinal && !isHiddenFinal ? 'final' : poll.status} />{' '}
            {isHiddenFinal && `${tell('audience.hidden')} · `}
            {tellIfKnown(`kind.${poll.kind}`)} · {tell('poll.round', { n: poll.round })}
            {poll.room && (
              <>
                {' · '}
                <a href={roomScreenPath(poll.room, poll)} target="_blank" rel="noreferrer">
                  {tell('polls.inRoom', { room: poll.room })}
                </a>
              </>
            )}
            {poll.openedAt && ` · ${tell('poll.openedAt', { time: formatTime(poll.openedAt) })}`}
            {poll.closingAt &&
              poll.status === 'open' &&
              ` · ${tell('poll.closesAt', { time: formatTime(poll.closingAt) })}`}
          </p>
        </div>
        <PollActions poll={poll} onDone={reload} />
      </div>
      <div class="columns-2">
        <section class="panel" aria-label={say('vote.result')}>
          {poll.rounds.length > 1 && <RoundChoice poll={poll} shown={rounds} onChange={chooseRounds} />}
          {views.length > 1 && (
            <div class="tabs">
              {views.map((one) => (
                <button key={one} type="button" aria-pressed={one === view} onClick={() => setView(one)}>
                  {say(`view.${one}`)}
                </button>
              ))}
            </div>
          )}
          {shown.length > 0 ? (
            <RoundCharts rounds={shown} view={view} definition={poll} headers={api.headers} />
          ) : (
            <>
              {view === 'timeline' ? (
                <Timeline poll={id} round={poll.round} isFinal={isFinal} headers={api.headers} />
              ) : (
                result && view && <Chart result={result} view={view} definition={poll} />
              )}
              {result?.hidden && <p class="hint">{say('hidden.byPoll')}</p>}
              {result && <FinalOutcome result={result} />}
            </>
          )}
        </section>
        <div class="stack">
          {result && may('poll.recount', poll) && <AccountingPanel poll={id} result={result} />}
          {may('poll.hide', poll) && <AudiencePanel poll={poll} isFinal={isFinal} onDone={reload} />}
          {result && shown.length === 0 && may('poll.draw', poll) && (
            <DecisionsPanel poll={poll} result={result} onDone={reload} />
          )}
          {may('poll.export', poll) && (
            <Exports poll={poll} isSettled={isFinal || (poll.status === 'closed' && result?.missing !== undefined)} />
          )}
        </div>
      </div>
      {may('poll.responses', poll) && poll.round > 0 && (poll.secrecy ?? 'named') === 'named' && (
        <Responses poll={id} isOpen={poll.status === 'open'} />
      )}
      {may('poll.edit', poll) && isModerated(poll) && result && (
        <ModerationPanel poll={poll} result={result} onDone={reload} />
      )}
      {may('rehearsal.begin') && <RehearsalPanel poll={id} />}
      <Embed poll={id} />
    </>
  );
}
