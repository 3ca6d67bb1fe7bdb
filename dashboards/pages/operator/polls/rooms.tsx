import { useEffect, useState } from 'preact/hooks';
import type { PollAnswer } from '../../../../client/answers.ts';
import { Status } from '../../poll/status.tsx';
import { joinWay, ownAddress, withCode } from '../../screen/join.tsx';
import { Qr } from '../../screen/qr.tsx';
import { say } from '../../words/language.ts';
import { tell } from '../words.ts';
import { RoomGuests } from './guests/room-guests.tsx';
import { PollActions } from './poll-actions.tsx';
import { roomScreenPath } from './showing/screen-path.ts';
import { usePolls } from './use-polls.ts';

const LOOPBACK = /^(localhost|127\.|\[::1\])/;

/** Every room that has polls, with its polls and the address at which phones join. */
export function Rooms() {
  const { polls, reload } = usePolls();
  const rooms = new Map<string, PollAnswer[]>();
  for (const poll of polls ?? []) {
    if (poll.room !== undefined) rooms.set(poll.room, [...(rooms.get(poll.room) ?? []), poll]);
  }
  return (
    <>
      <div class="head">
        <h1>{tell('nav.rooms')}</h1>
      </div>
      {polls && rooms.size === 0 && <p class="empty">{tell('rooms.none')}</p>}
      {[...rooms]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([room, own]) => (
          <Room key={room} room={room} polls={own} onDone={reload} />
        ))}
    </>
  );
}

function Room({ room, polls, onDone }: { room: string; polls: readonly PollAnswer[]; onDone: () => Promise<void> }) {
  const [address, setAddress] = useState('');
  /** The join code, while the room asks for one. */
  const [code, setCode] = useState<string>();
  useEffect(() => void joinWay(room).then((way) => setAddress(way?.address ?? ownAddress(room))), [room]);
  const isLoopback = LOOPBACK.test(address.replace(/^https?:\/\//, ''));
  return (
    <section class="panel room">
      <div class="join">{address && <Qr text={withCode({ address, code })} label={say('join.qr', { address })} />}</div>
      <div class="stack">
        <h2 dir="auto">{room}</h2>
        <p class="actions">
          <a class="quiet" href={roomScreenPath(room, polls[0])} target="_blank" rel="noreferrer">
            {tell('rooms.screen')}
          </a>
          <a class="quiet" href={address} target="_blank" rel="noreferrer">
            {tell('rooms.vote')}
          </a>
        </p>
        <p class="hint" dir="ltr">
          {address}
        </p>
        {isLoopback && <p class="bad">{tell('rooms.loopback')}</p>}
        <RoomGuests room={room} address={address} onCode={setCode} />
        <ul class="polls plain">
          {polls.map((poll) => (
            <li key={poll.poll}>
              <Status status={poll.status} />
              <a href={`#/polls/${encodeURIComponent(poll.poll)}`} dir="auto">
                {poll.title}
              </a>
              <PollActions poll={poll} onDone={onDone} />
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
