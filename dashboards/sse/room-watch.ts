import type { Feed } from './feed.ts';
import type { Frame } from './frame.ts';
import type { Viewer } from './viewer.ts';

/** The current poll of a room, and the frame that names it. */
export interface RoomNow {
  readonly poll: string | undefined;
  readonly frame: Frame;
}

/** Provides the current poll of a room and the feeds of polls. */
export interface RoomSource {
  now(): RoomNow;
  feed(poll: string): Feed;
  leave(poll: string, feed: Feed): void;
  /** Hears that the room has a poll. */
  onPoll(): void;
  /** Hears why the viewer cannot follow the room. */
  onFailure(error: unknown): void;
}

/** Streams the current poll of a room to a viewer. `event: room` names the poll that the following events are about. */
export class RoomWatch {
  private readonly viewer: Viewer;
  private readonly source: RoomSource;
  private now: { readonly poll: string; readonly feed: Feed } | undefined;
  private isAnnounced = false;
  private moving: Promise<void> | undefined;

  constructor(viewer: Viewer, source: RoomSource) {
    this.viewer = viewer;
    this.source = source;
  }

  /** Switches to the room’s current poll, if that is now another one. Never rejects. */
  follow(): Promise<void> {
    this.moving ??= this.move()
      .catch((error) => this.source.onFailure(error))
      .finally(() => {
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
      const { poll, frame } = this.source.now();
      if (this.viewer.isClosed || (this.isAnnounced && poll === this.now?.poll)) return;
      this.end();
      this.isAnnounced = true;
      this.viewer.send(frame, this.name);
      if (poll === undefined) continue;
      this.source.onPoll();
      this.now = { poll, feed: this.source.feed(poll) };
      const { now } = this;
      await now.feed.join(this.viewer);
      if (this.viewer.isClosed) this.source.leave(now.poll, now.feed);
    }
  }

  private readonly name = (): Frame => this.source.now().frame;
}
