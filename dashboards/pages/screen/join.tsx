import { useEffect, useState } from 'preact/hooks';
import type { RoomAnswer } from '../../../client/answers.ts';
import { BASE } from '../base.ts';
import { say } from '../words/language.ts';
import { KEY } from './key.ts';
import { Qr } from './qr.tsx';

/** Interval in ms at which a screen looks whether the join code has changed. */
const READ_EVERY_MS = 15_000;

/** How phones join a room. */
export interface JoinWay {
  readonly address: string;
  /** The room’s join code, if it asks for one and this screen may show it. */
  readonly code?: string | undefined;
}

/** How phones join a room: at the configured address, or at one on this page’s server; undefined if the server does not answer. */
export async function joinWay(room: string): Promise<JoinWay | undefined> {
  const headers: Record<string, string> = KEY === '' ? {} : { 'x-pollcast-screen': KEY };
  const response = await fetch(`${BASE}/api/rooms/${encodeURIComponent(room)}`, { headers }).catch(() => undefined);
  if (!response?.ok) return undefined;
  const { joinUrl, joinCode: code } = (await response.json()) as RoomAnswer;
  return { address: joinUrl ?? ownAddress(room), code };
}

/** The address of a room’s phone page on this page’s server. */
export function ownAddress(room: string): string {
  return `${location.origin}${BASE}/vote/${encodeURIComponent(room)}`;
}

/** How phones join a room; undefined until it is known. */
export function useJoin(room: string | undefined): JoinWay | undefined {
  const [way, setWay] = useState<JoinWay>();
  useEffect(() => {
    setWay(undefined);
    if (room === undefined) return;
    const read = async () => {
      const found = await joinWay(room);
      setWay((before) => found ?? before ?? { address: ownAddress(room) });
    };
    void read();
    const timer = setInterval(() => void read(), READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [room]);
  return way;
}

/** An address that contains a join code. Its fragment is not sent to servers, so the code is in no log. */
export function withCode({ address, code }: JoinWay): string {
  return code === undefined ? address : `${address}#code=${encodeURIComponent(code)}`;
}

/** How to join: a QR code, the address, and the join code if there is one; the QR code contains both. */
export function Join({ way, large }: { way: JoinWay; large?: boolean }) {
  const { address, code } = way;
  const [host, ...path] = address.replace(/^https?:\/\//, '').split('/');
  return (
    <section class="join" data-large={large || undefined} aria-label={say('view.join')}>
      <Qr text={withCode(way)} label={say('join.qr', { address })} />
      <p>
        {say('join.how')}
        <br />
        <strong dir="ltr">
          {host}
          <wbr />/{path.join('/')}
        </strong>
        {code !== undefined && (
          <>
            <br />
            <strong>{say('join.code', { code })}</strong>
          </>
        )}
      </p>
    </section>
  );
}
