import type { GateLimits } from './limits.ts';

/** Keep alive is in seconds, and a client may be silent for one and a half times as long [MQTT-3.1.2-24]. */
const SILENCE_MS = 1_500;

/** What takes too long. */
export type Late = 'connect' | 'packet' | 'keep alive';

/** Why a connection ends when something takes too long. */
export const LATE: Readonly<Record<Late, string>> = {
  connect: 'CONNECT did not arrive in time',
  packet: 'packet still incomplete after its time limit',
  'keep alive': 'keep alive timeout',
};

/** How long one client may take: to send CONNECT, for a packet from its first to its last byte, and until its next packet. */
export class Patience {
  private readonly limits: GateLimits;
  /** When the last whole packet came, or the connection was opened. */
  private heardAtMs = performance.now();
  /** When the first byte of an incomplete packet came; 0 while no packet is incomplete. */
  private partialAtMs = 0;
  /** How long in ms the client may be silent; 0 for any time; undefined until it is let in. */
  private silenceMs: number | undefined;

  constructor(limits: GateLimits) {
    this.limits = limits;
  }

  /** Call when the client has been let in. @param keepAlive in seconds */
  begin(keepAlive: number): void {
    this.silenceMs = keepAlive * SILENCE_MS;
    this.heardAtMs = performance.now();
  }

  /**
   * Call after every read.
   *
   * @param isPartial true if the packet that was read last is incomplete
   * @param isNew true if whole packets have come
   */
  note(isPartial: boolean, isNew: boolean, nowMs: number): void {
    if (isNew) this.heardAtMs = nowMs;
    if (!isPartial) this.partialAtMs = 0;
    else if (isNew || this.partialAtMs === 0) this.partialAtMs = nowMs;
  }

  /** What has taken too long, if anything. @param isHeld true if the client is not being read, so that its silence means nothing */
  late(nowMs: number, isConnecting: boolean, isHeld: boolean): Late | undefined {
    const { limits, silenceMs = 0 } = this;
    const silentMs = nowMs - this.heardAtMs;
    if (this.partialAtMs > 0 && nowMs - this.partialAtMs > limits.packetMs) return 'packet';
    // A whole packet waits for the broker, and not for the client.
    if (isHeld && this.partialAtMs === 0) return undefined;
    if (isConnecting) return silentMs > limits.connectMs ? 'connect' : undefined;
    return silenceMs > 0 && silentMs > silenceMs ? 'keep alive' : undefined;
  }
}
