import { Refusal } from '../runtime/refusal.ts';
import type { Registry } from '../store/store.ts';
import { normalPhrase, phraseLength } from '../voting/kinds/choices/phrase.ts';
import { MAX_NICKNAME_LENGTH } from '../voting/rules/text/nickname.ts';
import { textProblems } from '../voting/rules/text/printable.ts';
import type { Device } from './device.ts';

/** The maximum number of guests about whom something is kept, because anybody may join as many guests as they like. */
const MAX_KEPT = 20_000;
/** The list is read again after this many ms, so that many requests share one read. */
const GOOD_FOR_MS = 1_000;

/** What is kept about a guest. */
export interface KeptGuest {
  readonly nickname?: string | undefined;
  /** Set if an operator has blocked the guest from setting a nickname. */
  readonly isBlocked?: true | undefined;
}

/**
 * The nicknames that guests give themselves, as far as operators let them. They are kept by guest, never with a ballot, and are
 * only shown where ballots carry the ids of their voters anyway.
 */
export class Nicknames {
  private readonly registry: Registry;
  private reading: Promise<ReadonlyMap<string, KeptGuest>> | undefined;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  /** Everything that is kept, by guest id; up to a second old. */
  all(): Promise<ReadonlyMap<string, KeptGuest>> {
    const forget = () => {
      this.reading = undefined;
    };
    this.reading ??= this.read().then(
      (found) => {
        setTimeout(forget, GOOD_FOR_MS).unref();
        return found;
      },
      (error) => {
        forget();
        throw error;
      },
    );
    return this.reading;
  }

  async of(guest: string): Promise<KeptGuest> {
    return (await this.registry.get<KeptGuest>('guests', guest))?.value ?? {};
  }

  /**
   * Gives a guest a nickname, or removes it. @throws Refusal bad-nickname, nickname-blocked, nickname-taken, too-many-nicknames
   */
  async set(guest: string, wanted: string | null): Promise<KeptGuest> {
    const nickname = wanted === null || wanted.trim() === '' ? undefined : checked(wanted);
    if (nickname !== undefined) await this.demandFree(guest, nickname);
    return this.change(guest, (now) => {
      if (now.isBlocked && nickname !== undefined) {
        throw new Refusal('nickname-blocked', 'the operators have blocked this guest from setting a nickname');
      }
      return { ...now, nickname };
    });
  }

  /** Removes a guest’s nickname; if `isBlocked`, the guest cannot set another. */
  moderate(guest: string, isBlocked: boolean): Promise<KeptGuest> {
    return this.change(guest, () => (isBlocked ? { isBlocked } : {}));
  }

  private async change(guest: string, step: (now: KeptGuest) => KeptGuest): Promise<KeptGuest> {
    for (;;) {
      const kept = await this.registry.get<KeptGuest>('guests', guest);
      const next = step(kept?.value ?? {});
      this.reading = undefined;
      if (next.nickname === undefined && !next.isBlocked) {
        if (!kept || (await this.registry.remove('guests', guest, kept.version))) return next;
        continue;
      }
      if (await this.registry.put('guests', guest, next, kept?.version ?? 0)) return next;
    }
  }

  /** Nobody may take the name of somebody else, whatever its case, width or spacing. */
  private async demandFree(guest: string, nickname: string): Promise<void> {
    const kept = await this.all();
    if (!kept.has(guest) && kept.size >= MAX_KEPT) {
      throw new Refusal('too-many-nicknames', `${MAX_KEPT} guests have nicknames, which is the limit`);
    }
    const folded = normalPhrase(nickname);
    const devices = await this.registry.list<Device>('devices');
    const labels = devices.flatMap(({ value: { device, label = device } }) => [device, label]);
    const others = [...kept].flatMap(([id, { nickname: own }]) => (id === guest || own === undefined ? [] : [own]));
    if ([...labels, ...others].some((name) => normalPhrase(name) === folded)) {
      throw new Refusal('nickname-taken', `${JSON.stringify(nickname)} is somebody else’s name; choose another`);
    }
  }

  private async read(): Promise<ReadonlyMap<string, KeptGuest>> {
    const all = await this.registry.list<KeptGuest>('guests');
    return new Map(all.map(({ id, value }) => [id, value]));
  }
}

/** The nickname as it is shown: without needless spaces. @throws Refusal bad-nickname */
function checked(wanted: string): string {
  const nickname = wanted.normalize('NFC').replace(/\s+/gu, ' ').trim();
  const problems = textProblems('nickname', nickname, 2 * MAX_NICKNAME_LENGTH);
  if (phraseLength(nickname) > MAX_NICKNAME_LENGTH) {
    problems.push(`nickname: must have at most ${MAX_NICKNAME_LENGTH} characters, not ${phraseLength(nickname)}`);
  }
  if (!normalPhrase(nickname)) problems.push('nickname: must not contain invisible characters');
  if (problems.length === 0) return nickname;
  throw new Refusal('bad-nickname', 'this nickname cannot be used', problems);
}
