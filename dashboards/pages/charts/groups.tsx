import type { OptionResult } from '../../../core/voting/kinds/figures/option-result.ts';
import type { GroupResult } from '../../../core/voting/result/groups.ts';
import { formatNumber, formatShare, say } from '../words/language.ts';
import { Scroll } from './table/scroll.tsx';

/** How each group of voters answered, as a table. */
export function Groups({ options, groups }: { options: readonly OptionResult[]; groups: readonly GroupResult[] }) {
  return (
    <Scroll name={say('view.groups')}>
      <table class="groups">
        <caption class="unseen">{say('view.groups')}</caption>
        <thead>
          <tr>
            <th scope="col">{say('table.group')}</th>
            {options.map(({ key, label }) => (
              <th key={key} scope="col" dir="auto">
                {label}
              </th>
            ))}
            <th scope="col">{say('table.ballots')}</th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ group, options: own, ballots }) => {
            const most = Math.max(0, ...own.map(({ count }) => count ?? 0));
            return (
              <tr key={group ?? ''}>
                <th scope="row" dir="auto">
                  {group ?? say('table.others')}
                </th>
                {options.map(({ key }) => {
                  const line = own.find((option) => option.key === key);
                  const leads = (line?.count ?? 0) > 0 && line?.count === most;
                  return (
                    <td key={key} data-mark={leads ? 'lead' : undefined}>
                      {leads ? '▲ ' : ''}
                      {line?.share === null || line === undefined ? '–' : formatShare(line.share)}
                    </td>
                  );
                })}
                <td>{formatNumber(ballots)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}
