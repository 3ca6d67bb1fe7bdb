import { useState } from 'preact/hooks';
import type { AuditRecord } from '../../../../client/answers.ts';
import { Scroll } from '../../charts/table/scroll.tsx';
import { formatNumber, formatTime } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { useReading } from '../use-reading.ts';
import { tell } from '../words.ts';

const READ_EVERY_MS = 5_000;
/** How many records are read at a time. */
const PAGE = 100;
/** Longer facts, such as the ids of 200 devices, are folded. */
const SHORT = 200;

/** What operators did and what was refused, newest first. */
export function AuditTrail() {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [newest, setNewest] = useState<readonly AuditRecord[]>();
  const [older, setOlder] = useState<readonly AuditRecord[]>([]);
  const [next, setNext] = useState<number | null>(null);
  const [checked, setChecked] = useState<{ readonly text: string; readonly isBad: boolean }>();
  const reload = async () => {
    // A reader who looks at older records would lose the place.
    if (older.length > 0) return;
    const page = await api.trail(undefined, PAGE).catch(() => undefined);
    if (!page) return;
    setNewest(page.records);
    setNext(page.next);
  };
  useReading(reload, READ_EVERY_MS, [api, older.length > 0]);
  const more = () =>
    attempt(async () => {
      const page = await api.trail(next ?? undefined, PAGE);
      setOlder([...older, ...page.records]);
      setNext(page.next);
    });
  const check = () =>
    attempt(async () => {
      const { intact, problems, records, end } = await api.checkTrail();
      const text = intact
        ? tell('trail.intact', { n: formatNumber(records), hash: end.hash.slice(0, 16) })
        : `${tell('trail.broken')} ${problems.join('; ')}`;
      setChecked({ text, isBad: !intact });
    });
  const records = [...(newest ?? []), ...older];
  return (
    <>
      <div class="head">
        <h1>{tell('nav.trail')}</h1>
        <button type="button" class="quiet" onClick={() => void check()}>
          {tell('trail.check')}
        </button>
      </div>
      <p class="panel hint">{tell('trail.about')}</p>
      <p role="status" class={checked?.isBad ? 'bad' : undefined}>
        {checked && `${checked.isBad ? '⚠' : '✓'} ${checked.text}`}
      </p>
      {newest?.length === 0 && <p class="empty">{tell('trail.none')}</p>}
      {records.length > 0 && (
        <div class="panel">
          <Scroll name={tell('nav.trail')}>
            <table class="list wide">
              <caption class="unseen">{tell('nav.trail')}</caption>
              <thead>
                <tr>
                  {(['number', 'at', 'who', 'action', 'target', 'outcome', 'before', 'after', 'from'] as const).map(
                    (column) => (
                      <th key={column} scope="col">
                        {tell(`trail.${column}`)}
                      </th>
                    ),
                  )}
                </tr>
              </thead>
              <tbody>
                {records.map((record) => (
                  <RecordLine key={record.number} record={record} />
                ))}
              </tbody>
            </table>
          </Scroll>
        </div>
      )}
      {next !== null && (
        <button type="button" class="quiet" onClick={() => void more()}>
          {tell('more', { n: formatNumber(Math.min(PAGE, next - 1)) })}
        </button>
      )}
    </>
  );
}

function RecordLine({ record }: { record: AuditRecord }) {
  const { number, at, who, issuer, role, action, target, from, outcome, code, before, after, devices, leftOut } =
    record;
  return (
    <tr class={outcome === 'done' ? undefined : 'bad'}>
      <th scope="row">{formatNumber(number)}</th>
      <td>{formatTime(at)}</td>
      <td>
        {who}
        {issuer !== undefined && <small> {issuer}</small>}
        {role !== null && <small> {role}</small>}
      </td>
      <td>
        <code>{action}</code>
      </td>
      <td dir="auto">{target || (devices ? <Facts text={devices.join(', ')} /> : '–')}</td>
      <td>
        {tell(`trail.${outcome}`)}
        {code !== undefined && (
          <>
            {' '}
            <code>{code}</code>
          </>
        )}
        {leftOut !== undefined && <small> {tell('trail.leftOut', { n: formatNumber(leftOut) })}</small>}
      </td>
      <td>
        <Facts text={before} />
      </td>
      <td>
        <Facts text={after} />
      </td>
      <td>{from}</td>
    </tr>
  );
}

function Facts({ text = '–' }: { text: string | undefined }) {
  if (text.length <= SHORT) return <code>{text}</code>;
  return (
    <details>
      <summary>
        <code>{text.slice(0, SHORT / 2)}…</code>
      </summary>
      <code>{text}</code>
    </details>
  );
}
