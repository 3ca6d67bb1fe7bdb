import { useState } from 'preact/hooks';
import { Status } from '../../poll/status.tsx';
import { formatNumber, formatTime } from '../../words/language.ts';
import { useDesk } from '../context.ts';
import { isFound, Search } from '../search.tsx';
import { tell, tellIfKnown } from '../words.ts';
import { PollActions } from './poll-actions.tsx';
import { usePolls, useResults } from './use-polls.ts';

/** How many polls are shown initially, and how many each click on the button below adds. */
const PAGE = 100;

/** All polls, with the actions for each. */
export function Polls() {
  const { may } = useDesk();
  const { polls, reload } = usePolls();
  const [sought, seek] = useState('');
  const [shown, show] = useState(PAGE);
  const running = (polls ?? [])
    .filter(({ status }) => status !== 'draft' && status !== 'closed')
    .map(({ poll }) => poll);
  const results = useResults(running);
  const found = (polls ?? []).filter(({ poll, title, room }) => isFound(sought, poll, title, room));
  return (
    <>
      <div class="head">
        <h1>{tell('nav.polls')}</h1>
        <Search sought={sought} onSeek={seek} />
        {may('poll.create') && (
          <a class="send" href="#/polls/new">
            {tell('polls.new')}
          </a>
        )}
      </div>
      {polls?.length === 0 && <p class="empty">{tell('polls.none')}</p>}
      <ul class="polls">
        {found.slice(0, shown).map((one) => {
          const ballots = results.get(one.poll)?.ballots;
          return (
            <li key={one.poll} class="panel">
              <Status status={one.status} />
              <div>
                <h2>
                  <a href={`#/polls/${encodeURIComponent(one.poll)}`} dir="auto">
                    {one.title}
                  </a>
                </h2>
                <p class="hint">
                  {one.poll} · {tellIfKnown(`kind.${one.kind}`)}
                  {one.room && ` · ${tell('polls.inRoom', { room: one.room })}`}
                  {one.status === 'draft' &&
                    one.opensAt &&
                    ` · ${tell('polls.opensAt', { time: formatTime(one.opensAt) })}`}
                  {ballots !== undefined &&
                    ballots !== null &&
                    ` · ${tell('polls.ballots', { n: formatNumber(ballots) })}`}
                </p>
              </div>
              <PollActions poll={one} onDone={reload} />
            </li>
          );
        })}
      </ul>
      {found.length > shown && (
        <button type="button" class="quiet" onClick={() => show(shown + PAGE)}>
          {tell('more', { n: formatNumber(found.length - shown) })}
        </button>
      )}
    </>
  );
}
