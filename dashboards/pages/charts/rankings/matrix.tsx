import { say } from '../../words/language.ts';
import { labelIn } from '../drawing.ts';
import { Scroll } from '../table/scroll.tsx';
import type { Ranked } from './rounds.tsx';

/** The pairwise comparisons, as a table: how many voters prefer the row’s option to the column’s. */
export function Matrix({ result }: { result: Ranked<'condorcet'> }) {
  const { options, matrix, winners = [], condorcetWinner } = result;
  const note = condorcetWinner
    ? say('matrix.winner', { name: labelIn(result, condorcetWinner) })
    : winners.length > 0
      ? say('matrix.completed', { name: winners.map((key) => labelIn(result, key)).join(', ') })
      : say('matrix.none');
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
      <p class="what">{note}</p>
    </div>
  );
}
