import type { PollBook } from '../../core/live/poll-book.ts';
import type { Spells } from '../../core/waiting/spells.ts';
import { eventFrame, type Frame } from './frame.ts';
import { type RoomNow, type RoomSource, RoomWatch } from './room-watch.ts';
import type { Viewer } from './viewer.ts';

interface Room {
  now: RoomNow;
  readonly watches: Set<RoomWatch>;
}

/** The viewers that follow rooms. */
export class Rooms {
  private readonly polls: Pick<PollBook, 'inRoom'>;
  private readonly spells: Spells;
  private readonly rooms = new Map<string, Room>();

  constructor(polls: Pick<PollBook, 'inRoom'>, spells: Spells) {
    this.polls = polls;
    this.spells = spells;
  }

  /** Adds a viewer, which is to `follow` its room from now on. Call `leave` when it has left. */
  watch(viewer: Viewer, name: string, source: Omit<RoomSource, 'now'>): RoomWatch {
    const room = this.rooms.get(name) ?? { now: this.look(name), watches: new Set() };
    this.rooms.set(name, room);
    const watch = new RoomWatch(viewer, { ...source, now: () => room.now });
    room.watches.add(watch);
    return watch;
  }

  leave(name: string, watch: RoomWatch): void {
    watch.end();
    const room = this.rooms.get(name);
    room?.watches.delete(watch);
    if (room?.watches.size === 0) this.rooms.delete(name);
  }

  /**
   * Moves viewers to the polls that are current now. Call this whenever a poll has changed: if it was deleted, or has left its room, it is
   * no longer known which room that was.
   */
  move(): void {
    for (const [name, room] of this.rooms) {
      if (this.polls.inRoom(name)?.definition.poll === room.now.poll) continue;
      room.now = this.look(name);
      void this.spells.do(moves(room.watches));
    }
  }

  private look(room: string): RoomNow {
    const poll = this.polls.inRoom(room)?.definition.poll;
    return { poll, frame: roomFrame(room, poll) };
  }
}

/** One for all viewers of a room. */
function roomFrame(room: string, poll: string | undefined): Frame {
  return eventFrame('room', 'room', { room, poll: poll ?? null });
}

function* moves(watches: Iterable<RoomWatch>): Generator<void> {
  for (const watch of watches) {
    void watch.follow();
    yield;
  }
}
