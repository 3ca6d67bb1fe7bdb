import { setTimeout as sleep } from 'node:timers/promises';
import { Racer } from './races.ts';

/** How long in ms a device waits for an acknowledgement before it connects again and sends its vote again. */
const PATIENCE_MS = 6_000;
/** Pause in ms between two devices, or before a device connects again. */
const PAUSE_MS = 10;

/** Devices that vote one after the other, each until its vote is acknowledged. So there must be a ballot of every device. */
export class Voters {
  /** The number of devices whose votes were acknowledged. */
  acknowledged = 0;
  private readonly port: () => number;
  private readonly topic: string;
  private isStopping = false;
  private isAbandoned = false;
  private readonly work: Promise<unknown>;

  /** @param rows how many devices vote at the same time */
  constructor(port: () => number, topic: string, rows: number) {
    this.port = port;
    this.topic = topic;
    this.work = Promise.all(Array.from({ length: rows }, (_, row) => this.run(row)));
  }

  /** Resolves once the devices that are voting have been acknowledged. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.work;
  }

  /** Stops without waiting for acknowledgements, at the end of a test that has failed. */
  abandon(): Promise<void> {
    this.isAbandoned = true;
    return this.stop();
  }

  private async run(row: number): Promise<void> {
    for (let i = 0; !this.isStopping; i++) {
      while (!(await this.attempt(`v${row}-${i}`))) {
        if (this.isAbandoned) return;
        await sleep(PAUSE_MS);
      }
      this.acknowledged++;
      await sleep(PAUSE_MS);
    }
  }

  private async attempt(id: string): Promise<boolean> {
    const racer = new Racer(this.port());
    const endMs = performance.now() + PATIENCE_MS;
    const reaches = async (isThere: () => boolean) => {
      while (!isThere() && !racer.isClosed && !this.isAbandoned && performance.now() < endMs) await sleep(2);
      return isThere();
    };
    racer.enter(id);
    if (await reaches(() => racer.isOpen)) racer.vote(this.topic, 'a');
    const isAcknowledged = await reaches(() => racer.votes > 0);
    racer.socket.destroy();
    return isAcknowledged;
  }
}
