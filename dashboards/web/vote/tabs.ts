const OWNER = 'pollcast-voter-tab';

/**
 * One tab of a browser votes at a time: the one that came last. Others would take the connection from each other, and write
 * over what the other has kept.
 */
export class Tabs {
  private readonly channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('pollcast-voter') : undefined;
  private readonly id = `${Date.now()}-${Math.random()}`;

  /** @param onOther another tab votes now */
  constructor(onOther: () => void) {
    this.channel?.addEventListener('message', ({ data }) => {
      // Two that begin together hear of each other: only one of them came last.
      if (data !== this.id && !this.isOurs()) onOther();
    });
    // A tab that was asleep has not heard it.
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && !this.isOurs()) onOther();
    });
  }

  /** This tab votes from now on. */
  take(): void {
    try {
      localStorage.setItem(OWNER, this.id);
    } catch {
      // Then only the channel tells.
    }
    this.channel?.postMessage(this.id);
  }

  /** Whether it still does; where nothing is kept, only the channel tells, and is believed. */
  isOurs(): boolean {
    try {
      return (localStorage.getItem(OWNER) ?? this.id) === this.id;
    } catch {
      return false;
    }
  }
}
