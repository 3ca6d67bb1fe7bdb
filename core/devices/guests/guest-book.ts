import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Log } from '../../runtime/log.ts';
import { Refusal } from '../../runtime/refusal.ts';
import type { Registry, Watched } from '../../store/store.ts';
import { every, pause } from '../../waiting/pause.ts';
import {
  codeGuestId,
  type Guest,
  type GuestCredentials,
  isCodeGuestId,
  isGuestId,
  keyedHash,
  MAX_GUEST_HOURS,
  newGuestId,
  passwordOf,
  readPassword,
} from './credential.ts';
import type { GuestRoom } from './guest-room.ts';
import { codeOf, isRoomCode, newRoomCode, noCode, numberOf, wrongCode } from './join-codes.ts';

/** Interval in ms at which everything is read again, in case a notice was missed. */
const RESYNC_MS = 30_000;
/** Delay in ms before something is read again after the store could not be read. */
const READ_AGAIN_MS = 500;
/** The maximum number of guests that are revoked one by one, because each is held in memory everywhere. */
const MAX_REVOKED = 20_000;
/** For how long (ms) credentials can be valid at most. */
const MAX_LIFETIME_MS = MAX_GUEST_HOURS * 3_600_000;
/** The id of the settings that hold in all rooms. No room can have this name. */
const ALL_ROOMS = '*';

/** A guest that was revoked on its own. */
interface Revoked {
  readonly atMs: number;
}

interface GuestBookParts {
  readonly registry: Registry;
  /** How long credentials are valid, in hours. */
  readonly guestHours: number;
  readonly log: Log;
}

/**
 * Issues and checks the credentials of guests. Guests are not stored. What is stored are the events of rooms and the guests that
 * were revoked; every process has a copy of that in memory, so that credentials are checked without the store. Emits `change`
 * with a guest’s id, or without one, after credentials may have become invalid.
 */
export class GuestBook extends EventEmitter<{ change: [guest?: string] }> {
  private readonly registry: Registry;
  private readonly lifetimeMs: number;
  private readonly log: Log;
  private readonly rooms = new Map<string, { readonly value: GuestRoom; readonly version: number }>();
  private readonly revoked = new Map<string, number>();
  private readonly halt = new AbortController();
  private key: Promise<string> | undefined;

  private constructor({ registry, guestHours, log }: GuestBookParts) {
    super();
    this.registry = registry;
    this.lifetimeMs = guestHours * 3_600_000;
    this.log = log.child({ part: 'guests' });
  }

  /** Reads what is stored, and follows its changes from then on. */
  static async open(parts: GuestBookParts): Promise<GuestBook> {
    const book = new GuestBook(parts);
    const { signal } = book.halt;
    const unwatch = book.registry.watch((collection, id) => void book.hear(collection, id));
    signal.addEventListener('abort', unwatch);
    every(RESYNC_MS, signal, () => {
      book.resync().catch((err) => book.log.warn({ err }, 'could not read revoked guests; trying again within 30 s'));
    });
    try {
      await book.resync();
    } catch (error) {
      await book.close();
      throw error;
    }
    return book;
  }

  async close(): Promise<void> {
    this.halt.abort();
  }

  /** What is kept about the guests of a room; undefined if nothing is. */
  room(room: string): GuestRoom | undefined {
    return this.rooms.get(room)?.value;
  }

  /** Issues credentials for a new guest of a room, or for a device of a rehearsal, whose poll has no room. */
  async issue(room = ''): Promise<GuestCredentials> {
    await this.refreshEvent(room);
    return this.credentialsOf(newGuestId(), room);
  }

  /**
   * Issues credentials to somebody who wants to join a room. With a code of its own, a guest has the same id every time.
   *
   * @throws Refusal join-code-needed, wrong-join-code, join-code-revoked
   */
  async admit(room: string, code: string | undefined): Promise<GuestCredentials> {
    await this.refreshEvent(room);
    const { joinBy = 'anyone', code: roomCode = '' } = this.room(room) ?? {};
    if (joinBy === 'anyone') return this.credentialsOf(newGuestId(), room);
    if (code === undefined || code === '') throw noCode();
    if (joinBy === 'code') {
      if (roomCode === '' || !isRoomCode(code, roomCode)) throw wrongCode();
      return this.credentialsOf(newGuestId(), room);
    }
    const [key, event] = [await this.signingKey(), this.eventOf(room)];
    const number = numberOf(key, room, event, code);
    if (number === undefined) throw wrongCode();
    const device = codeGuestId(key, room, event, number);
    await this.readRevoked(device);
    if (this.revoked.has(device))
      throw new Refusal('join-code-revoked', 'this code is no longer valid; ask for another');
    return this.credentialsOf(device, room);
  }

  /** Refuses somebody who wants to join a room without a code where one is needed. @throws Refusal join-code-needed */
  async demandCode(room: string, code: string | undefined): Promise<void> {
    const isMissing = () => (code ?? '') === '' && (this.room(room)?.joinBy ?? 'anyone') !== 'anyone';
    if (!isMissing()) return;
    // Another process may have changed how guests get in.
    await this.refreshEvent(room);
    if (isMissing()) throw noCode();
  }

  /** The codes for single guests of a room with the numbers from `first` on, valid until the next event. */
  async codes(
    room: string,
    first: number,
    count: number,
  ): Promise<{ readonly number: number; readonly code: string }[]> {
    await this.refreshEvent(room);
    const [key, event] = [await this.signingKey(), this.eventOf(room)];
    return Array.from({ length: count }, (_, i) => ({ number: first + i, code: codeOf(key, room, event, first + i) }));
  }

  /** The guest with these credentials; undefined if they are wrong, expired or revoked. */
  async verify(device: string, password: Buffer | string): Promise<Guest | undefined> {
    if (!isGuestId(device)) return undefined;
    const guest = readPassword(await this.signingKey(), device, password.toString());
    if (!guest || guest.expiresAtMs <= Date.now()) return undefined;
    // Another process may have begun an event of which this one has not heard yet.
    if (guest.event !== this.eventOf(guest.room)) await this.refreshEvent(guest.room);
    return this.isValid(guest) ? guest : undefined;
  }

  /** True if a guest was given these credentials, whether they are still valid or not. */
  async wasIssued(device: string, password: Buffer | string): Promise<boolean> {
    return isGuestId(device) && readPassword(await this.signingKey(), device, password.toString()) !== undefined;
  }

  /** True if credentials that were issued are still valid, as far as this process has heard. */
  isValid({ device, room, event, expiresAtMs }: Guest): boolean {
    return expiresAtMs > Date.now() && event === this.eventOf(room) && !this.revoked.has(device);
  }

  /** Changes what is kept about the guests of a room. */
  async change(room: string, changes: GuestRoom): Promise<GuestRoom> {
    for (;;) {
      const before = await this.registry.get<GuestRoom>('guestRooms', room);
      const after = { ...before?.value, ...changes };
      if (await this.registry.put('guestRooms', room, after, before?.version ?? 0)) {
        await this.readRoom(room);
        return after;
      }
    }
  }

  /** Revokes a guest: every broker disconnects it. @throws Refusal no-such-guest, too-many-revoked */
  async revoke(guest: string): Promise<void> {
    if (!isGuestId(guest)) throw new Refusal('no-such-guest', `${JSON.stringify(guest)} is not the id of a guest`);
    const nowMs = Date.now();
    for (const [id, atMs] of this.revoked) {
      // Codes are valid until the next event, so their guests stay revoked; and credentials as long as the setting said when they
      // were issued.
      if (atMs + MAX_LIFETIME_MS < nowMs && !isCodeGuestId(id)) await this.registry.remove('revokedGuests', id);
    }
    if (this.revoked.size >= MAX_REVOKED) {
      const why = `${MAX_REVOKED} guests are revoked one by one, which is the limit; revoke all guests of their room instead`;
      throw new Refusal('too-many-revoked', why);
    }
    await this.registry.put<Revoked>('revokedGuests', guest, { atMs: nowMs });
    await this.readRevoked(guest);
  }

  /** Revokes all guests of a room and all of its codes: a new event begins there. */
  async revokeRoom(room: string): Promise<void> {
    // Those who were there know the old code.
    const code = this.room(room)?.code === undefined ? {} : { code: newRoomCode() };
    await this.change(room, { event: newEvent(), eventAtMs: Date.now(), ...code });
  }

  /** Revokes the guests and codes of all rooms. */
  async revokeAll(): Promise<void> {
    await this.change(ALL_ROOMS, { event: newEvent(), eventAtMs: Date.now() });
    // They are revoked with all others now.
    for (const guest of [...this.revoked.keys()]) await this.registry.remove('revokedGuests', guest);
  }

  /** When the current event of a room began; undefined if nobody was revoked there yet. */
  eventAtMs(room: string): number | undefined {
    const times = [room, ALL_ROOMS].flatMap((id) => this.room(id)?.eventAtMs ?? []);
    return times.length === 0 ? undefined : Math.max(...times);
  }

  /** A keyed hash of a text that begins with its purpose; the same in every process. */
  async sign(text: string): Promise<string> {
    return keyedHash(await this.signingKey(), text).toString('base64url');
  }

  private async credentialsOf(device: string, room: string): Promise<GuestCredentials> {
    const expiresAtMs = Date.now() + this.lifetimeMs;
    const guest = { device, room, event: this.eventOf(room), expiresAtMs };
    return { device, password: passwordOf(await this.signingKey(), guest), expiresAtMs };
  }

  /** The current event of a room: it changes when the guests of the room, or of all rooms, are revoked. */
  private eventOf(room: string): string {
    return [ALL_ROOMS, room].map((id) => this.room(id)?.event ?? '').join('');
  }

  private async refreshEvent(room: string): Promise<void> {
    await Promise.all([ALL_ROOMS, room].map((id) => this.readRoom(id)));
  }

  /** A notice that a document was written. It is read again until the store answers. */
  private async hear(collection: Watched, id: string): Promise<void> {
    if (collection !== 'guestRooms' && collection !== 'revokedGuests') return;
    while (!this.halt.signal.aborted) {
      try {
        return await (collection === 'guestRooms' ? this.readRoom(id) : this.readRevoked(id));
      } catch (err) {
        this.log.debug({ err }, 'could not read about guests; trying again');
        await pause(READ_AGAIN_MS, this.halt.signal);
      }
    }
  }

  /** Reads a room again. The store answers in order, so a later read is never overtaken by an earlier one. */
  private async readRoom(room: string): Promise<void> {
    const found = await this.registry.get<GuestRoom>('guestRooms', room);
    const before = this.rooms.get(room)?.value.event;
    if (found) this.rooms.set(room, found);
    else this.rooms.delete(room);
    if (before !== found?.value.event) this.emit('change');
  }

  private async readRevoked(guest: string): Promise<void> {
    const found = await this.registry.get<Revoked>('revokedGuests', guest);
    if (!found) this.revoked.delete(guest);
    else if (!this.revoked.has(guest)) {
      this.revoked.set(guest, found.value.atMs);
      this.emit('change', guest);
    }
  }

  /** Lists take several reads, so what differs is read again: a notice may have been faster. */
  private async resync(): Promise<void> {
    const rooms = await this.registry.list<GuestRoom>('guestRooms');
    const revoked = await this.registry.list<Revoked>('revokedGuests');
    const versions = new Map(rooms.map(({ id, version }) => [id, version]));
    const listed = new Set(revoked.map(({ id }) => id));
    const changed = [...versions, ...this.rooms]
      .map(([id]) => id)
      .filter((id) => this.rooms.get(id)?.version !== versions.get(id));
    const differing = [...listed, ...this.revoked.keys()].filter((id) => this.revoked.has(id) !== listed.has(id));
    await Promise.all([...new Set(changed)].map((id) => this.readRoom(id)));
    await Promise.all(differing.map((id) => this.readRevoked(id)));
  }

  private signingKey(): Promise<string> {
    this.key ??= this.readKey().catch((error) => {
      this.key = undefined;
      throw error;
    });
    return this.key;
  }

  /** Reads the deployment’s key, or creates it. The first process to write a key wins, so all processes use the same key. */
  private async readKey(): Promise<string> {
    await this.registry.put('secrets', 'guests', randomBytes(32).toString('base64url'), 0);
    const kept = await this.registry.get<string>('secrets', 'guests');
    if (!kept) throw new Error('the key for guest credentials could not be stored');
    return kept.value;
  }
}

/** A random text rather than a number: after a failover that lost the last event, an older one must not come back. */
function newEvent(): string {
  return randomBytes(6).toString('base64url');
}
