import { formatList, formatNumber, say, sayCount } from '../words/language.ts';
import { type Bar, Bars } from './bars.tsx';
import type { Figures } from './figures.ts';
import { labelIn } from './figures.ts';

/** One step of a count that goes by rounds: what each option had, and what happened. */
interface Step {
  readonly bars: readonly Bar[];
  readonly what: string;
}

/** The steps of an instant runoff or a transferable vote, in order. */
export function stepsOf(result: Figures): Step[] {
  const name = (keys: readonly string[]) => formatList(keys.map((key) => labelIn(result, key)));
  if (result.stages) {
    const [first] = result.stages;
    const all = (first?.votes ?? []).reduce((sum, { votes }) => sum + Number(votes), 0);
    const elected = new Set<string>();
    const out = new Set<string>();
    return result.stages.map((stage) => {
      for (const key of stage.elected) elected.add(key);
      for (const key of stage.excluded) out.add(key);
      const bars = stage.votes.map(({ key, votes }) => ({
        key,
        label: labelIn(result, key),
        part: all === 0 ? 0 : Number(votes) / all,
        figures: [formatNumber(Number(votes), 5)],
        mark: elected.has(key) ? ('won' as const) : out.has(key) ? ('out' as const) : undefined,
      }));
      const what = [
        stage.what === 'first preferences' ? say('step.first') : '',
        stage.what === 'surplus' && stage.of ? say('step.surplus', { name: name([stage.of]) }) : '',
        stage.what === 'last places' ? say('step.lastPlaces') : '',
        stage.elected.length > 0 ? say('step.elected', { names: name(stage.elected) }) : '',
        stage.excluded.length > 0 ? say('step.excluded', { names: name(stage.excluded) }) : '',
        Number(stage.nonTransferable) > 0
          ? say('step.exhausted', { n: formatNumber(Number(stage.nonTransferable), 5) })
          : '',
      ];
      return { bars, what: what.filter((part) => part !== '').join(' ') };
    });
  }
  const rounds = result.rounds ?? [];
  const out = new Set<string>();
  return rounds.map((round, i) => {
    const now = new Map(round.counts.map((count) => [count.key, count]));
    const all = round.counts.reduce((sum, { count }) => sum + count, 0) + round.exhausted.count;
    const isLast = i === rounds.length - 1;
    const bars = result.options.map(({ key, label }) => {
      const count = now.get(key);
      const isOut = out.has(key);
      const won = isLast && (result.winners ?? []).includes(key);
      return {
        key,
        label,
        part: all === 0 || !count ? 0 : count.count / all,
        figures: count ? [count.weight ?? formatNumber(count.count)] : [],
        mark: won ? ('won' as const) : isOut || round.eliminated.includes(key) ? ('out' as const) : undefined,
      };
    });
    for (const key of round.eliminated) out.add(key);
    const what = [
      round.eliminated.length > 0 ? say('step.excluded', { names: name(round.eliminated) }) : '',
      isLast && result.winners?.length === 1 ? say('step.wins', { name: name(result.winners) }) : '',
      isLast && result.unresolved ? say('step.unresolved', { names: name(result.unresolved) }) : '',
      round.exhausted.count > 0 ? say('step.exhausted', { n: formatNumber(round.exhausted.count) }) : '',
    ];
    return { bars, what: what.filter((part) => part !== '').join(' ') };
  });
}

/** A count by rounds, one round at a time. @param step which, from 0; the last where there are not so many */
export function Rounds({ result, step }: { result: Figures; step: number }) {
  const steps = stepsOf(result);
  const at = Math.min(step, steps.length - 1);
  const shown = steps[at];
  if (!shown) return null;
  const number = say('step.number', { n: formatNumber(at + 1), of: formatNumber(steps.length) });
  return (
    <div class="rounds">
      <p class="what">
        <strong>{number}</strong> {shown.what}
      </p>
      <Bars
        caption={`${number} ${shown.what}`}
        bars={shown.bars}
        columns={[say('table.option'), say('table.count'), '']}
      />
    </div>
  );
}

/** Who is elected, a seat each. */
export function Seats({ result }: { result: Figures }) {
  const { seats = 0, winners = [], quota } = result;
  return (
    <div class="seats">
      <p class="what">
        {sayCount('seats', seats)} · {say('seats.quota', { quota: formatNumber(Number(quota), 5) })}
      </p>
      <ol>
        {Array.from({ length: seats }, (_, i) => {
          const key = winners[i];
          return (
            <li key={key ?? `free ${i}`} data-taken={key !== undefined || undefined}>
              <span class="sign" aria-hidden="true">
                {key === undefined ? '○' : '★'}
              </span>{' '}
              <span dir="auto">{key === undefined ? say('seats.free') : labelIn(result, key)}</span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
