const OWNER = 'pollcast-voter-tab';

/**
 * Only one tab of a browser votes at a time: the one that started last. Two tabs with the same
 * credentials would keep disconnecting each other, and overwrite each other’s stored votes.
 */
export class Tabs {
  private readonly channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('pollcast-voter') : undefined;
  private readonly id = `${Date.now()}-${Math.random()}`;
  /** The tab that started last, as far as this tab knows from the channel. */
  private owner = '';

  /** @param onOther called when another tab has taken over */
  constructor(onOther: () => void) {
    this.channel?.addEventListener('message', ({ data }) => {
      if (data === this.id) return;
      this.owner = data;
      // Two tabs that start together each receive the other’s message, but only one of them started last.
      if (!this.isOurs()) onOther();
    });
    // A suspended tab may have missed the message.
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && !this.isOurs()) onOther();
    });
  }

  /** Makes this the tab that votes. */
  take(): void {
    this.owner = this.id;
    try {
      localStorage.setItem(OWNER, this.id);
    } catch {
      // Without storage, only the channel notifies other tabs.
    }
    this.channel?.postMessage(this.id);
  }

  /** Whether this is still the tab that votes. Without storage, the last message from another tab decides. */
  isOurs(): boolean {
    try {
      return (localStorage.getItem(OWNER) ?? this.id) === this.id;
    } catch {
      return this.owner === this.id;
    }
  }
}
