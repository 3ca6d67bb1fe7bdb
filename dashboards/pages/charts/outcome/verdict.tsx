import type { Check, Verdict } from '../../../../core/voting/result/verdict.ts';
import { parseShare } from '../../../../core/voting/rules/share.ts';
import { formatNumber, formatShare, say, sayIfKnown } from '../../words/language.ts';
import { Scroll } from '../table/scroll.tsx';

const SIGNS = { true: '✓', false: '✗', null: '?' } as const;

/** Whether a poll reached its majority and quorum, with the figures of each comparison. */
export function VerdictTable({ verdict }: { verdict: Verdict }) {
  const tests = [
    ...(verdict.majority ?? []).map((test) => ({ test, name: say('verdict.majority') })),
    ...(verdict.quorum ?? []).map((test) => ({ test, name: say('verdict.quorum') })),
  ];
  return (
    <div class="verdict">
      <VerdictOutcome verdict={verdict} />
      <Scroll name={say('view.verdict')}>
        <table>
          <caption class="unseen">{say('view.verdict')}</caption>
          <thead>
            <tr>
              <th scope="col">{say('verdict.rule')}</th>
              <th scope="col">{say('verdict.needed')}</th>
              <th scope="col">{say('verdict.had')}</th>
              <th scope="col">{say('verdict.met')}</th>
            </tr>
          </thead>
          <tbody>
            {tests.map(({ test, name }) => (
              <tr key={`${name} ${test.share ?? test.number} ${test.of} ${test.by} ${test.when}`}>
                <th scope="row">{name}</th>
                <td>{needed(test)}</td>
                <td>
                  {test.part === null ? '?' : number(test.part)}
                  {test.whole === null ? '' : ` / ${number(test.whole)}`} {sayIfKnown(`by.${test.by}`)}
                  {percent(test)}
                </td>
                <td data-met={String(test.met)}>
                  <span aria-hidden="true">{SIGNS[String(test.met) as keyof typeof SIGNS]} </span>
                  {say(`met.${test.met === null ? 'unknown' : test.met ? 'yes' : 'no'}`)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}

/** Whether the motion was adopted, and a note if there was no quorum; nothing until the outcome is known. */
export function VerdictOutcome({ verdict }: { verdict: Verdict }) {
  const { adopted, quorate } = verdict;
  const decided = typeof adopted === 'boolean';
  if (!decided && quorate !== false) return null;
  return (
    <p class="outcome" data-adopted={decided ? String(adopted) : 'unknown'}>
      {decided && (
        <>
          <span aria-hidden="true">{adopted ? '✓ ' : '✗ '}</span>
          {say(adopted ? 'verdict.adopted' : 'verdict.rejected')}
        </>
      )}
      {quorate === false && <small>{say('verdict.inquorate')}</small>}
    </p>
  );
}

function needed({ share, number: least, of, when }: Check): string {
  const what = share ?? `≥ ${least}`;
  const base = of === undefined ? '' : ` ${sayIfKnown(`base.${of}`) ?? of}`;
  return `${what.replace('>=', '≥')}${base}${when ? ` (${say(`when.${when}`)})` : ''}`;
}

/** The share that was reached, if the rule demands a share. */
function percent({ share, part, whole }: Check): string {
  const threshold = parseShare(share ?? '');
  if (!threshold || part === null || whole === null || Number(whole) === 0) return '';
  const limit = Number(threshold.part) / Number(threshold.whole);
  return ` (${formatShare(Number(part) / Number(whole), [limit])})`;
}

const number = (text: string): string => formatNumber(Number(text), 6);
