import { useState } from 'preact/hooks';
import type { RecountAnswer } from '../../../../client/answers.ts';
import { balances, totalRejected } from '../../../../core/voting/count/accounting.ts';
import type { Result } from '../../../../core/voting/result/result.ts';
import { formatNumber, formatTime, sayIfKnown } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';

/** What happened to the votes that were received, and whether the numbers add up. */
export function AccountingPanel({ poll, result }: { poll: string; result: Result }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [recount, setRecount] = useState<RecountAnswer | 'counting'>();
  const { accounting, recount: stored } = result;
  if (!accounting) return null;
  const { received, counted, replaced, redelivered, rejected } = accounting;
  const isBalanced = balances(accounting);
  const reasons = Object.entries(rejected).sort(([, a], [, b]) => b - a);
  return (
    <section class="panel">
      <h2>{tell('accounting')}</h2>
      <dl class="sum" data-balanced={isBalanced}>
        {(
          [
            ['received', received, ''],
            ['counted', counted, '='],
            ['replaced', replaced, '+'],
            ['redelivered', redelivered, '+'],
            ['rejected', totalRejected(rejected), '+'],
          ] as const
        ).map(([name, n, sign]) => (
          <div key={name}>
            <dt>{tell(`accounting.${name}`)}</dt>
            <dd>
              {sign && <span aria-hidden="true">{sign} </span>}
              {formatNumber(n)}
            </dd>
          </div>
        ))}
      </dl>
      <p class={isBalanced ? 'good' : 'bad'}>
        <span aria-hidden="true">{isBalanced ? '✓ ' : '✗ '}</span>
        {tell(isBalanced ? 'accounting.balanced' : 'accounting.unbalanced')}
      </p>
      {reasons.length > 0 && (
        <table class="list">
          <caption>{tell('accounting.reasons')}</caption>
          <thead class="unseen">
            <tr>
              <th scope="col">{tell('accounting.reason')}</th>
              <th scope="col">{tell('accounting.rejected')}</th>
            </tr>
          </thead>
          <tbody>
            {reasons.map(([reason, n]) => (
              <tr key={reason}>
                <th scope="row">
                  {sayIfKnown(`reason.${reason}`) ?? reason} <code>{reason}</code>
                </th>
                <td>{formatNumber(n)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div class="actions">
        <button
          type="button"
          class="quiet"
          disabled={recount === 'counting' || result.round === 0}
          onClick={async () => {
            setRecount('counting');
            const isDone = await attempt(async () => setRecount(await api.recount(poll)));
            if (!isDone) setRecount(undefined);
          }}
        >
          {tell(recount === 'counting' ? 'recount.running' : 'recount.do')}
        </button>
      </div>
      <div role="status">
        {recount && recount !== 'counting' ? (
          <>
            <p class={recount.agrees ? 'good' : 'bad'}>
              {tell(recount.agrees ? 'recount.agrees' : 'recount.differs', { what: recount.compared.join(', ') })}
            </p>
            <ul>
              {recount.differences.map((difference) => (
                <li key={difference}>{difference}</li>
              ))}
            </ul>
          </>
        ) : (
          stored && (
            <p class={stored.agrees ? 'good' : 'bad'}>
              {tell(stored.agrees ? 'recount.agreed' : 'recount.differed', { time: formatTime(stored.at) })}
            </p>
          )
        )}
      </div>
    </section>
  );
}
