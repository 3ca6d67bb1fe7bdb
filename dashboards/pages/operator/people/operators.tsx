import { useState } from 'preact/hooks';
import type { NewOperatorAnswer, OperatorAnswer } from '../../../../client/answers.ts';
import { Scroll } from '../../charts/table/scroll.tsx';
import { formatList, formatTime } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { useReading } from '../use-reading.ts';
import { tell } from '../words.ts';
import { NewOperatorForm } from './new-operator.tsx';

const READ_EVERY_MS = 10_000;

/** Operators with tokens of their own, and sessions of those whom an identity provider has signed in: creates and revokes them. */
export function Operators() {
  const { api, may, notify } = useDesk();
  const [operators, setOperators] = useState<readonly OperatorAnswer[]>();
  const [created, setCreated] = useState<NewOperatorAnswer>();
  const reload = async () => {
    const all = await api.operators().catch(() => undefined);
    if (all) setOperators(all);
  };
  useReading(reload, READ_EVERY_MS, [api]);
  const onCreated = async (made: NewOperatorAnswer) => {
    setCreated(made);
    notify({ text: tell('operators.created', { name: made.operator }), isBad: false });
    await reload();
  };
  return (
    <>
      <div class="head">
        <h1>{tell('nav.operators')}</h1>
      </div>
      <p class="panel hint">{tell('operators.about')}</p>
      {may('operator.create') && <NewOperatorForm onCreated={onCreated} />}
      {created && (
        <section class="panel" aria-labelledby="operator-token">
          <h2 id="operator-token">{tell('operators.tokenOf', { name: created.operator })}</h2>
          <p class="hint">{tell('operators.once')}</p>
          <p>
            <code>{created.token}</code>
          </p>
          <button type="button" class="quiet" onClick={() => setCreated(undefined)}>
            {tell('operators.forget')}
          </button>
        </section>
      )}
      {operators?.length === 0 && <p class="empty">{tell('operators.none')}</p>}
      {operators && operators.length > 0 && (
        <div class="panel">
          <Scroll name={tell('nav.operators')}>
            <table class="list wide">
              <caption class="unseen">{tell('nav.operators')}</caption>
              <thead>
                <tr>
                  {(['name', 'role', 'rooms', 'createdBy', 'expires'] as const).map((column) => (
                    <th key={column} scope="col">
                      {tell(`operators.${column}`)}
                    </th>
                  ))}
                  <th scope="col">
                    <span class="unseen">{tell('devices.actions')}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {operators.map((one) => (
                  <OperatorLine key={one.operator} operator={one} onDone={reload} />
                ))}
              </tbody>
            </table>
          </Scroll>
        </div>
      )}
    </>
  );
}

function OperatorLine({ operator: one, onDone }: { operator: OperatorAnswer; onDone: () => Promise<void> }) {
  const { api, may } = useDesk();
  const attempt = useAttempt();
  const { operator, role, rooms, createdAt, createdBy, expiresAt, expired, person } = one;
  const session = person && { subject: person.subject, start: formatTime(createdAt), session: operator };
  const shown = person ? person.name || person.subject : operator;
  // Somebody may have several sessions, and others may have the same name.
  const name = session ? tell('operators.session', { name: shown, ...session }) : shown;
  const revoke = async () => {
    if (!confirm(tell(person ? 'operators.endSure' : 'operators.revokeSure', { name }))) return;
    await attempt(() => api.revokeOperator(operator));
    await onDone();
  };
  const expire = async () => {
    await attempt(() => api.expireOperator(operator, expired ? null : new Date().toISOString()));
    await onDone();
  };
  const end = expiresAt === null ? tell('operators.never') : formatTime(expiresAt);
  return (
    <tr class={expired ? 'struck' : undefined}>
      <th scope="row" dir="auto">
        {shown}
        {session && <p class="hint">{tell('operators.sessionOf', session)}</p>}
      </th>
      <td>{tell(`role.${role}`)}</td>
      <td dir="auto">{rooms === null ? tell('operators.allRooms') : formatList(rooms)}</td>
      <td>{createdBy}</td>
      <td>{expired ? tell('operators.expired', { time: end }) : end}</td>
      <td class="actions">
        {may('operator.expire') && !person && (
          <button type="button" class="quiet" onClick={() => void expire()}>
            {tell(expired ? 'operators.allow' : 'operators.expire')}
            <span class="unseen"> {name}</span>
          </button>
        )}
        {may('operator.revoke') && (
          <button type="button" class="quiet" onClick={() => void revoke()}>
            {tell(person ? 'operators.end' : 'devices.revoke')}
            <span class="unseen"> {name}</span>
          </button>
        )}
      </td>
    </tr>
  );
}
