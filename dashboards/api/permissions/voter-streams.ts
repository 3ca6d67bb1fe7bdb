import type { Admitted } from '../../../core/devices/credentials.ts';
import { type Device, registrationOf } from '../../../core/devices/device.ts';
import type { GuestBook } from '../../../core/devices/guests/guest-book.ts';
import type { Log } from '../../../core/runtime/log.ts';
import { RareWarnings } from '../../../core/runtime/rare-warnings.ts';
import type { Registry } from '../../../core/store/store.ts';
import { every, pause } from '../../../core/waiting/pause.ts';
import type { Line } from './streams.ts';

/** Interval in ms between looks whether credentials have expired, of which there is no notice. */
const CHECK_EVERY_MS = 250;
/** Delay in ms before a device is looked up again after the store could not be read. */
const LOOK_AGAIN_MS = 250;

/** A stream that shows what only those who have voted may see. */
interface VoterStream {
  readonly voter: Admitted;
  readonly line: Line;
  /** When the secret with which it was opened ends, if it does, in ms since 1970. */
  untilMs: number | undefined;
}

interface VoterStreamsParts {
  readonly registry: Registry;
  readonly guests: GuestBook;
  readonly log: Log;
}

/**
 * The streams that were opened with the credentials of devices and guests, and show more than anybody sees. They end when these
 * credentials do, as MQTT connections do, also if the device is registered again at once. There may be thousands, so unlike those of
 * operators they wait for the notices of writes, each of which arrives at least once.
 */
export class VoterStreams {
  private readonly parts: VoterStreamsParts;
  private readonly warnings: RareWarnings;
  /** By device or guest. */
  private readonly open = new Map<string, Set<VoterStream>>();
  private readonly halt = new AbortController();

  constructor(parts: VoterStreamsParts) {
    const { registry, guests, log } = parts;
    this.parts = parts;
    this.warnings = new RareWarnings(log);
    const { signal } = this.halt;
    const unwatch = registry.watch((collection, device) => {
      if (collection === 'devices') void this.look(device);
    });
    guests.on('change', this.checkGuests);
    signal.addEventListener('abort', () => {
      unwatch();
      guests.off('change', this.checkGuests);
    });
    every(CHECK_EVERY_MS, signal, () => this.checkTimes());
  }

  /** Ends the stream once the credentials with which it was opened stop working. */
  follow(voter: Admitted, line: Line): void {
    const { device } = voter.elector;
    const streams = this.open.get(device) ?? new Set();
    const stream: VoterStream = { voter, line, untilMs: undefined };
    this.open.set(device, streams.add(stream));
    line.once('close', () => {
      streams.delete(stream);
      if (streams.size === 0 && this.open.get(device) === streams) this.open.delete(device);
    });
    // They may have stopped working since they were checked.
    if (voter.guest) this.checkGuests(device);
    else void this.look(device);
  }

  close(): void {
    this.halt.abort();
  }

  /** Reads a device again, and ends its streams if it is not the one that opened them. */
  private async look(device: string): Promise<void> {
    const { signal } = this.halt;
    while (!signal.aborted) {
      // Only those from before the read: a later one may belong to a registration that this read does not find.
      const streams = [...(this.open.get(device) ?? [])].filter(({ voter }) => !voter.guest);
      if (streams.length === 0) return;
      try {
        const kept = await this.parts.registry.get<Device>('devices', device);
        for (const stream of streams) {
          if (kept && registrationOf(kept.value) === stream.voter.registration) {
            stream.untilMs = kept.value.next?.untilMs;
          } else stream.line.destroy();
        }
        return;
      } catch (err) {
        this.warnings.warn('streams', { err }, 'could not check the devices of open streams; trying again');
        await pause(LOOK_AGAIN_MS, signal);
      }
    }
  }

  /** @param guest only this one */
  private readonly checkGuests = (guest?: string): void => {
    for (const streams of guest === undefined ? this.open.values() : [this.open.get(guest) ?? []]) {
      for (const { voter, line } of streams) {
        if (voter.guest && !this.parts.guests.isValid(voter.guest)) line.destroy();
      }
    }
  };

  private checkTimes(): void {
    const nowMs = Date.now();
    for (const streams of this.open.values()) {
      for (const { voter, line, untilMs } of streams) {
        if ((voter.guest?.expiresAtMs ?? untilMs ?? Infinity) <= nowMs) line.destroy();
      }
    }
  }
}
