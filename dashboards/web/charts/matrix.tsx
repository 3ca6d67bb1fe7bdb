import { say } from '../words/language.ts';
import { type Figures, labelIn } from './figures.ts';
import { Scroll } from './scroll.tsx';

/** Who beats whom: how many prefer the option of the row to that of the column. A table by nature. */
export function Matrix({ result }: { result: Figures }) {
  const { options, matrix = [], winners = [], condorcetWinner } = result;
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
