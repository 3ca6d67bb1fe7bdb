import { useState } from 'preact/hooks';
import type { GuestAnswer } from '../../../../client/answers.ts';
import { formatNumber } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { useReading } from '../use-reading.ts';
import { tell } from '../words.ts';

const READ_EVERY_MS = 5_000;
/** How many guests are shown initially, and how many each click on the button below adds. */
const PAGE = 100;

/** The names that guests gave themselves: removes them, and keeps guests from setting others. */
export function NicknamesPanel() {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [guests, setGuests] = useState<readonly GuestAnswer[]>([]);
  const [shown, show] = useState(PAGE);
  const reload = async () => {
    const all = await api.guests().catch(() => undefined);
    if (all) setGuests(all);
  };
  useReading(reload, READ_EVERY_MS, [api]);
  if (guests.length === 0) return null;
  const moderate = async (guest: string, blocked: boolean) => {
    await attempt(() => api.moderateGuest(guest, blocked));
    await reload();
  };
  const revoke = async ({ guest, nickname }: GuestAnswer) => {
    if (!confirm(tell('nicknames.revokeSure', { name: nickname ?? guest }))) return;
    await attempt(() => api.revokeGuest(guest));
    await reload();
  };
  const button = (text: string, { guest, nickname }: GuestAnswer, blocked: boolean) => (
    <button type="button" class="quiet" onClick={() => void moderate(guest, blocked)}>
      {text}
      <span class="unseen"> {nickname ?? guest}</span>
    </button>
  );
  return (
    <details class="panel nicknames">
      <summary>
        {tell('nicknames')} <small>{formatNumber(guests.length)}</small>
      </summary>
      <p class="hint">{tell('nicknames.about')}</p>
      <ul class="grid">
        {guests.slice(0, shown).map((one) => (
          <li key={one.guest} class={one.blocked ? 'struck' : undefined} title={one.guest}>
            <span dir="auto">{one.nickname ?? one.guest}</span>{' '}
            {one.blocked ? (
              button(tell('nicknames.allow'), one, false)
            ) : (
              <>
                {button(tell('nicknames.remove'), one, false)} {button(tell('nicknames.block'), one, true)}
              </>
            )}{' '}
            <button type="button" class="quiet" onClick={() => void revoke(one)}>
              {tell('nicknames.revoke')}
              <span class="unseen"> {one.nickname ?? one.guest}</span>
            </button>
          </li>
        ))}
      </ul>
      {guests.length > shown && (
        <button type="button" class="quiet" onClick={() => show(shown + PAGE)}>
          {tell('more', { n: formatNumber(guests.length - shown) })}
        </button>
      )}
    </details>
  );
}
