import { BROKER_ROLE } from '../../core/live/brokers.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Ended, LineHolder, LineNotice, Presence, Lines as Registered } from '../../core/store/store.ts';
import { withinOr } from '../../core/waiting/deadline.ts';
import { pause } from '../../core/waiting/pause.ts';
import { turn } from '../../core/waiting/turn.ts';
import type { Connection } from './connection.ts';

/** Pause in ms before a claim is repeated to a broker that has not confirmed the end of a connection. It doubles each time. */
const TELL_AGAIN_MS = 250;
/** Interval in ms between checks whether such a broker is still present. */
const CHECK_EVERY_MS = 250;
/** Time in ms for which such checks are gathered: when a broker crashes, thousands of its devices come at once. */
const GATHER_MS = 50;
/** Maximum time in ms to record the end of the last connections when the broker stops. */
const CLOSE_LIMIT_MS = 1_000;

/** A connection with its client id. */
class Line {
  readonly connection: Connection;
  /** Rises with every connection of an id. */
  readonly order: number;
  /** Resolves when all older connections of the id have ended, at every broker; undefined if there are none. */
  alone: Promise<unknown> | undefined;
  private end: Promise<void> | undefined;
  private resolve = () => {};
  private isGone = false;

  constructor(connection: Connection, order: number, alone: Promise<unknown> | undefined) {
    this.connection = connection;
    this.order = order;
    this.alone = alone;
  }

  /** Resolves when this connection and all older ones have ended, and everything accepted from them is stored. */
  get gone(): Promise<void> {
    if (this.isGone) return Promise.resolve();
    this.end ??= new Promise((resolve) => {
      this.resolve = resolve;
    });
    return this.end;
  }

  nowGone(): void {
    this.isGone = true;
    this.resolve();
  }
}

interface LinesParts {
  /** This broker’s run id. */
  readonly broker: string;
  readonly registered: Registered;
  readonly presence: Presence;
  /** Resolves when every vote accepted so far is in the log. */
  readonly stored: () => Promise<void>;
  readonly log: Log;
}

/**
 * The connections of each client id. Of several connections of one id, the newest ends all others, at this broker and at the
 * others [MQTT-3.1.4-2]. It is admitted once they have ended and all votes accepted from them are stored, so no vote of an older
 * connection is accepted after a newer one is ready.
 *
 * A broker that does not confirm the end is waited for until it is no longer present: then its lease has expired, and it stores
 * no votes until `rejoin` has ended what was taken over in the meantime.
 */
export class Lines {
  private readonly parts: LinesParts;
  private readonly lines = new Map<string, readonly Line[]>();
  /** Claims under way by id. Notices wait for them, because they may arrive before the answer to an earlier claim. */
  private readonly claiming = new Map<string, Promise<unknown>>();
  /** Called when another broker confirms the end of a connection, by id and number. */
  private readonly awaited = new Map<string, () => void>();
  /** The list of present brokers that will be read next. */
  private listing: Promise<ReadonlySet<string>> | undefined;
  private readonly releases = new Set<Promise<void>>();
  /** Connections that closed in this turn of the event loop, after all older ones of their ids. */
  private ended: Line[] = [];
  private readonly halt = new AbortController();
  private unlisten = () => {};

  private constructor(parts: LinesParts) {
    this.parts = parts;
  }

  static async open(parts: LinesParts): Promise<Lines> {
    const lines = new Lines(parts);
    lines.unlisten = await parts.registered.listen((notice) => void lines.hear(notice));
    return lines;
  }

  async close(): Promise<void> {
    this.halt.abort();
    await withinOr(CLOSE_LIMIT_MS, Promise.all(this.releases), undefined);
    this.unlisten();
  }

  /** The connections of a client id, also those that wait to be admitted. */
  of(id: string): Connection[] {
    return (this.lines.get(id) ?? []).map(({ connection }) => connection);
  }

  /** Ends a connection; what was accepted from it is stored and acknowledged before. */
  end(connection: Connection): void {
    connection.end(this.parts.stored);
  }

  /**
   * Makes a connection the only one of its client id. Resolves with true once it is, and with false if it has closed or been
   * taken over in the meantime. Rejects if the store cannot be reached.
   */
  async enter(connection: Connection, id: string): Promise<boolean> {
    const claim = this.claim(connection, id);
    const settled: Promise<unknown> = Promise.allSettled([this.claiming.get(id), claim]).then(() => {
      if (this.claiming.get(id) === settled) this.claiming.delete(id);
    });
    this.claiming.set(id, settled);
    const line = await claim;
    await line.alone;
    line.alone = undefined;
    return !connection.isEnding && !connection.isClosed && !this.halt.signal.aborted;
  }

  /** Call when a connection has closed, and Aedes has cleared up after it. */
  left(connection: Connection): void {
    const line = this.lines.get(connection.clientId ?? '')?.find((one) => one.connection === connection);
    if (line) void this.finish(line);
  }

  /** Ends every connection that was taken over while this broker could not hear of it. Call before the lease is renewed. */
  async rejoin(): Promise<void> {
    const mine = [...this.lines].map(([id, lines]) => [id, lines.at(-1) as Line] as const);
    const numbered = mine.filter(([, { connection }]) => connection.number !== undefined);
    const holders = await this.parts.registered.holders(numbered.map(([id]) => id));
    for (const [i, [, { connection }]] of numbered.entries()) {
      const holder = holders[i];
      if (holder?.broker !== this.parts.broker || holder.number !== connection.number) this.end(connection);
    }
  }

  /** Forgets the connections of brokers that have crashed. */
  async sweep(): Promise<void> {
    const { registered } = this.parts;
    const absent = new Set<string>();
    const present = new Set<string>();
    const left: Ended[] = [];
    for await (const [id, holder] of registered.all()) {
      const { broker } = holder;
      // Looked up only now, because a broker announces its presence before it claims an id.
      if (!present.has(broker) && !absent.has(broker)) {
        ((await this.isPresent(broker)) ? present : absent).add(broker);
      }
      if (absent.has(broker)) left.push([id, holder]);
    }
    await registered.release(left);
  }

  private async claim(connection: Connection, id: string): Promise<Line> {
    const { registered, broker } = this.parts;
    const { number, before } = await registered.claim(id, broker);
    connection.number = number;
    const others = this.lines.get(id) ?? [];
    const older = others.filter((line) => line.order < number);
    const isElsewhere = before !== undefined && before.broker !== broker;
    const elsewhere = isElsewhere ? [this.awaitGone(id, { number, broker }, before)] : [];
    const ends = [...elsewhere, ...older.map(({ gone }) => gone)];
    const line = new Line(connection, number, ends.length > 0 ? Promise.all(ends) : undefined);
    this.lines.set(id, [...others, line]);
    for (const one of older) this.end(one.connection);
    if (older.length < others.length) this.end(connection);
    // It may have closed before it was among the lines.
    if (connection.isGone) void this.finish(line);
    return line;
  }

  /** Forgets a connection that has closed, once all older ones have, and everything accepted from them is stored. */
  private async finish(line: Line): Promise<void> {
    await line.alone;
    this.ended.push(line);
    if (this.ended.length > 1) return;
    const release: Promise<void> = this.releaseEnded().finally(() => this.releases.delete(release));
    this.releases.add(release);
  }

  /** Forgets all connections that end in this turn together, because thousands may close at once. */
  private async releaseEnded(): Promise<void> {
    await turn();
    const lines = this.ended;
    this.ended = [];
    // Only now, so that it covers what was accepted from all of them.
    await this.parts.stored();
    const ended = lines.flatMap((line) => this.forget(line));
    // If this fails, the next claim of the id finds that the connection is gone.
    const release = this.parts.registered.release(ended);
    for (const line of lines) line.nowGone();
    await release.catch((err) => this.parts.log.debug({ err }, 'could not record that connections have ended'));
  }

  private forget(line: Line): Ended[] {
    const { number, clientId: id = '' } = line.connection;
    const others = (this.lines.get(id) ?? []).filter((one) => one !== line);
    if (others.length > 0) this.lines.set(id, others);
    else this.lines.delete(id);
    return number === undefined ? [] : [[id, { number, broker: this.parts.broker }]];
  }

  private async hear(notice: LineNotice): Promise<void> {
    const { registered, broker } = this.parts;
    const { id, number } = notice;
    if (notice.is === 'claim' && notice.broker === broker) return;
    await this.claiming.get(id);
    if (notice.is === 'gone') return this.awaited.get(`${id} ${number}`)?.();
    const lines = this.lines.get(id) ?? [];
    for (const line of lines) if (line.order < number) this.end(line.connection);
    const { before } = notice;
    if (before?.broker !== broker) return;
    await lines.find(({ order }) => order === before.number)?.gone;
    // If this fails, the other broker tells its claim again.
    await registered.tell({ is: 'gone', id, ...before }).catch(() => {});
  }

  /** Resolves when another broker’s connection has ended, or that broker is no longer present. */
  private async awaitGone(id: string, claim: LineHolder, before: LineHolder): Promise<void> {
    const key = `${id} ${before.number}`;
    const heard = new Promise<true>((resolve) => this.awaited.set(key, () => resolve(true)));
    let tellMs = performance.now() + TELL_AGAIN_MS;
    for (let waitMs = TELL_AGAIN_MS; !this.halt.signal.aborted; ) {
      if (await withinOr(CHECK_EVERY_MS, heard, false)) break;
      if (!(await this.isPresent(before.broker))) break;
      if (performance.now() < tellMs) continue;
      await this.parts.registered.tell({ is: 'claim', id, ...claim, before }).catch(() => {});
      waitMs *= 2;
      tellMs = performance.now() + waitMs;
    }
    this.awaited.delete(key);
  }

  /** False only if a broker is certainly not present. */
  private async isPresent(broker: string): Promise<boolean> {
    try {
      this.listing ??= this.listSoon();
      return (await this.listing).has(broker);
    } catch {
      return true;
    }
  }

  /** Lists the present brokers a little later, for everybody who has asked by then. */
  private async listSoon(): Promise<ReadonlySet<string>> {
    await pause(GATHER_MS, this.halt.signal);
    this.listing = undefined;
    return new Set((await this.parts.presence.list(BROKER_ROLE)).map(({ id }) => id));
  }
}
