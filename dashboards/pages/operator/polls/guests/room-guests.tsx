import { useEffect, useState } from 'preact/hooks';
import type { RoomGuestsAnswer } from '../../../../../client/answers.ts';
import { formatTime } from '../../../words/language.ts';
import { useAttempt, useDesk } from '../../context.ts';
import { tell } from '../../words.ts';
import { Codes } from './codes.tsx';

const JOIN_BY = ['anyone', 'code', 'codes'] as const;

/** How guests get into a room, and revoking them. @param onCode called with the code that phones ask for, if they do */
export function RoomGuests(props: { room: string; address: string; onCode: (code: string | undefined) => void }) {
  const { room, address, onCode } = props;
  const { api, notify } = useDesk();
  const attempt = useAttempt();
  const [kept, setKept] = useState<RoomGuestsAnswer>();
  const [expected, setExpected] = useState('');
  const show = (answer: RoomGuestsAnswer) => {
    setKept(answer);
    setExpected(answer.expected === null ? '' : String(answer.expected));
    onCode(answer.joinBy === 'code' ? (answer.code ?? undefined) : undefined);
  };
  useEffect(() => void attempt(async () => show(await api.roomGuests(room))), [api, room]);
  if (!kept) return null;
  const change = (changes: object) => attempt(async () => show(await api.changeRoomGuests(room, changes)));
  const revoke = async () => {
    if (!confirm(tell('guests.revokeSure', { room }))) return;
    const isDone = await attempt(async () => show(await api.revokeRoomGuests(room)));
    if (isDone) notify({ text: tell('guests.revoked', { room }), isBad: false });
  };
  const { joinBy, code, since } = kept;
  return (
    <details class="guests">
      <summary>
        {tell('guests')} <span class="unseen">{room}</span>
      </summary>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void change({ expected: expected.trim() === '' ? null : Number(expected) });
        }}
      >
        <label>
          {tell('guests.joinBy')}
          <select
            name="joinBy"
            value={joinBy}
            onChange={({ currentTarget: { value } }) => void change({ joinBy: value })}
          >
            {JOIN_BY.map((one) => (
              <option key={one} value={one}>
                {tell(`guests.by.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {tell('guests.expected')}
          <input
            name="expected"
            type="number"
            min="1"
            max="1000000"
            value={expected}
            onInput={({ currentTarget: { value } }) => setExpected(value)}
          />
        </label>
        <button type="submit" class="send">
          {tell('guests.save')}
        </button>
      </form>
      <p class="hint">{tell('guests.about')}</p>
      {joinBy === 'code' && code !== null && (
        <p class="actions">
          <span>
            {tell('guests.code')} <strong dir="ltr">{code}</strong>
          </span>
          <button type="button" class="quiet" onClick={() => void change({ code: null })}>
            {tell('guests.newCode')}
          </button>
        </p>
      )}
      {joinBy === 'codes' && <Codes room={room} address={address} />}
      <p class="actions">
        <button type="button" class="quiet" onClick={() => void revoke()}>
          {tell('guests.revoke')}
          <span class="unseen"> {room}</span>
        </button>
        {since !== null && <span class="hint">{tell('guests.since', { time: formatTime(since) })}</span>}
      </p>
    </details>
  );
}
