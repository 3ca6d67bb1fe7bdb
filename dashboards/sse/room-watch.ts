import type { Feed } from './feed.ts';
import { eventFrame } from './frame.ts';
import type { Viewer } from './viewer.ts';

/** Where a room watch finds its polls. */
export interface RoomSource {
  /** The poll that is current in the room. */
  current(): string | undefined;
  feed(poll: string): Feed;
  leave(poll: string, feed: Feed): void;
}

/** A viewer that sees whatever poll is current in a room: `event: room` names it, what follows is about it. */
export class RoomWatch {
  private readonly viewer: Viewer;
  private readonly room: string;
  private readonly source: RoomSource;
  private now: { readonly poll: string; readonly feed: Feed } | undefined;
  private isTold = false;
  private moving: Promise<void> | undefined;

  constructor(viewer: Viewer, room: string, source: RoomSource) {
    this.viewer = viewer;
    this.room = room;
    this.source = source;
  }

  /** Looks whether another poll is current, and moves on to it. */
  follow(): Promise<void> {
    this.moving ??= this.move().finally(() => {
      this.moving = undefined;
    });
    return this.moving;
  }

  end(): void {
    if (this.now) this.source.leave(this.now.poll, this.now.feed);
    this.now = undefined;
  }

  private async move(): Promise<void> {
    for (;;) {
      const poll = this.source.current();
      if (this.viewer.isClosed || (this.isTold && poll === this.now?.poll)) return;
      this.end();
      this.isTold = true;
      this.viewer.send(this.name(), this.name);
      if (poll === undefined) continue;
      this.now = { poll, feed: this.source.feed(poll) };
      const { now } = this;
      await now.feed.join(this.viewer);
      if (this.viewer.isClosed) this.source.leave(now.poll, now.feed);
    }
  }

  private readonly name = (): Buffer =>
    eventFrame('room', 'room', { room: this.room, poll: this.source.current() ?? null });
}
