import { winnersIn } from '../../../../core/voting/result/undecided.ts';
import { formatList, say } from '../../words/language.ts';
import { labelIn } from '../drawing.ts';
import { Scroll } from '../table/scroll.tsx';
import type { Ranked } from './rounds.tsx';

/** The pairwise comparisons, as a table: how many voters prefer the row’s option to the column’s. */
export function Matrix({ result }: { result: Ranked<'condorcet'> }) {
  const { options, matrix } = result;
  const winners = winnersIn(result);
  return (
    <div class="matrix">
      <Scroll name={say('view.matrix')}>
        <table>
          <caption>{say('matrix.caption')}</caption>
          <thead>
            <tr>
              <td />
              {options.map(({ key, label }) => (
                <th key={key} scope="col" dir="auto">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {options.map(({ key, label }, row) => (
              <tr key={key}>
                <th scope="row" dir="auto">
                  {winners.includes(key) && <span class="sign">★ </span>}
                  {label}
                </th>
                {options.map((other, column) => {
                  const [pro, contra] = [matrix[row]?.[column], matrix[column]?.[row]];
                  const isSelf = pro === null || pro === undefined;
                  const ahead = !isSelf && Number(pro) > Number(contra);
                  return (
                    <td key={other.key} data-mark={ahead ? 'won' : undefined}>
                      {isSelf ? '' : ahead ? `✓ ${pro}` : pro}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="what">{noteOn(result)}</p>
    </div>
  );
}

function noteOn(result: Ranked<'condorcet'>): string {
  const { winners = [], condorcetWinner, completion } = result;
  if (condorcetWinner) return say('matrix.winner', { name: labelIn(result, condorcetWinner) });
  const names = formatList(winners.map((key) => labelIn(result, key)));
  if (winners.length === 0) return say('matrix.none');
  if (winners.length > 1) return say('matrix.level', { names });
  return say(completion === 'schulze' ? 'matrix.schulze' : 'matrix.completed', { name: names });
}
