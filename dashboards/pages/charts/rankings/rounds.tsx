import type { RunoffRound, TransferStage } from '../../../../core/voting/kinds/ranking/figures.ts';
import type { OpenResult } from '../../../../core/voting/result/result.ts';
import { formatList, formatNumber, say, sayCount } from '../../words/language.ts';
import { type Bar, Bars } from '../bars.tsx';
import { labelIn } from '../drawing.ts';

/** The result of a ranking poll that is counted by the given method. */
export type Ranked<Method extends OpenResult<'ranking'>['method']> = Extract<
  OpenResult<'ranking'>,
  { readonly method: Method }
>;

/** One round of a count: each option’s votes, and what happened. */
interface Step {
  readonly bars: readonly Bar[];
  readonly what: string;
}

/** The stages of an STV count. */
export function transferSteps(result: Ranked<'stv'>): Step[] {
  const name = namesIn(result);
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
      tieText(stage, name),
      stage.what === 'last places' ? say('step.lastPlaces') : '',
      stage.elected.length > 0 ? say('step.elected', { names: name(stage.elected) }) : '',
      stage.excluded.length > 0 ? say('step.excluded', { names: name(stage.excluded) }) : '',
      Number(stage.nonTransferable) > 0
        ? say('step.exhausted', { n: formatNumber(Number(stage.nonTransferable), 5) })
        : '',
    ];
    return { bars, what: sentences(what) };
  });
}

/** The rounds of an instant runoff. */
export function runoffSteps(result: Ranked<'irv'>): Step[] {
  const name = namesIn(result);
  const { rounds, winners = [] } = result;
  const out = new Set<string>();
  return rounds.map((round, i) => {
    const now = new Map(round.counts.map((count) => [count.key, count]));
    const all = round.counts.reduce((sum, { count }) => sum + count, 0) + round.exhausted.count;
    const isLast = i === rounds.length - 1;
    const bars = result.options.map(({ key, label }) => {
      const count = now.get(key);
      const isOut = out.has(key) || round.eliminated.includes(key);
      const hasWon = isLast && winners.includes(key);
      return {
        key,
        label,
        part: all === 0 || !count ? 0 : count.count / all,
        figures: count ? [count.weight ?? formatNumber(count.count)] : [],
        mark: hasWon ? ('won' as const) : isOut ? ('out' as const) : undefined,
      };
    });
    for (const key of round.eliminated) out.add(key);
    const what = [
      tieText(round, name),
      round.eliminated.length > 0 ? say('step.excluded', { names: name(round.eliminated) }) : '',
      isLast && winners.length === 1 ? say('step.wins', { name: name(winners) }) : '',
      round.exhausted.count > 0 ? say('step.exhausted', { n: formatNumber(round.exhausted.count) }) : '',
    ];
    return { bars, what: sentences(what) };
  });
}

type Tied = RunoffRound | TransferStage;

/** The options that were level in a round or stage, and what decided between them. */
function tieText(step: Tied, name: (keys: readonly string[]) => string): string {
  const { tied, tieBrokenBy } = step;
  if (!tied) return '';
  const picked = 'eliminated' in step ? step.eliminated : [...step.excluded, ...(step.of ? [step.of] : [])];
  if (picked.length === 0) return say('step.unresolved', { names: name(tied) });
  const by = tieBrokenBy === 'earlier rounds' ? 'earlier-rounds' : (tieBrokenBy ?? 'harmless');
  return say(`step.tied.${by}`, { names: name(tied) });
}

const namesIn = (result: OpenResult) => (keys: readonly string[]) =>
  formatList(keys.map((key) => labelIn(result, key)));
const sentences = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(' ');

/** One round of a multi-round count. @param step index of the round, from 0; an index past the end shows the last round */
export function CountSteps({ steps, step }: { steps: readonly Step[]; step: number }) {
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

/** The seats, and who has been elected. */
export function Seats({ result }: { result: Ranked<'stv'> }) {
  const { seats, winners = [], quota } = result;
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
