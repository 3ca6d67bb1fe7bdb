import type { Definition } from '../../../core/voting/kinds/definition.ts';
import type { Result } from '../../../core/voting/result/result.ts';
import type { View } from '../charts/drawing.ts';
import { FinalOutcome } from '../charts/outcome/final-outcome.tsx';
import { Timeline } from '../charts/timeline.tsx';
import { say, sayCount } from '../words/language.ts';
import { Chart } from './chart.tsx';
import { Status, statusOf } from './status.tsx';
import { viewsOf } from './views.ts';

interface RoundChartsProps {
  readonly rounds: readonly Result[];
  /** Drawn for each round that offers it; otherwise, the round’s default view. */
  readonly view: View | undefined;
  readonly definition: Partial<Definition>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The results of one or more rounds of a poll, side by side. */
export function RoundCharts({ rounds, view: wanted, definition, headers }: RoundChartsProps) {
  return (
    <div class="rounds">
      {rounds.map((result) => {
        const views = viewsOf(result, { leaderboard: false, join: false });
        const view = wanted && views.includes(wanted) ? wanted : views[0];
        return (
          <section key={result.round} aria-label={say('round', { n: result.round })}>
            <h2>
              {say('round', { n: result.round })} <Status status={statusOf(result, !result.hidden)} />
            </h2>
            {view === 'timeline' ? (
              <Timeline
                poll={result.poll}
                round={result.round}
                isFinal={result.final}
                {...(headers ? { headers } : {})}
              />
            ) : (
              view && <Chart result={result} view={view} definition={definition} />
            )}
            {result.hidden && <p class="what">{say(result.curtain ? 'hidden.byPresenter' : 'hidden.byPoll')}</p>}
            <FinalOutcome result={result} />
            {result.ballots !== null && <p class="what">{sayCount('ballots', result.ballots)}</p>}
          </section>
        );
      })}
    </div>
  );
}
