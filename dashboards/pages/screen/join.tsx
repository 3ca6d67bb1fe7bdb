import { useEffect, useState } from 'preact/hooks';
import type { RoomAnswer } from '../../../client/answers.ts';
import { BASE } from '../base.ts';
import { say } from '../words/language.ts';
import { Qr } from './qr.tsx';

/** The address at which phones join a room: the configured one, or one on this page’s server. */
export async function joinAddress(room: string): Promise<string> {
  const own = `${location.origin}${BASE}/vote/${encodeURIComponent(room)}`;
  const response = await fetch(`${BASE}/api/rooms/${encodeURIComponent(room)}`).catch(() => undefined);
  if (!response?.ok) return own;
  const { joinUrl } = (await response.json()) as RoomAnswer;
  return joinUrl ?? own;
}

/** The address at which phones join a room; undefined until it is known. */
export function useJoin(room: string | undefined): string | undefined {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    setAddress(undefined);
    if (room !== undefined) void joinAddress(room).then(setAddress);
  }, [room]);
  return address;
}

/** How to join: a QR code and the address that it contains. */
export function Join({ address, large }: { address: string; large?: boolean }) {
  const [host, ...path] = address.replace(/^https?:\/\//, '').split('/');
  return (
    <section class="join" data-large={large || undefined} aria-label={say('view.join')}>
      <Qr text={address} label={say('join.qr', { address })} />
      <p>
        {say('join.how')}
        <br />
        <strong dir="ltr">
          {host}
          <wbr />/{path.join('/')}
        </strong>
      </p>
    </section>
  );
}
