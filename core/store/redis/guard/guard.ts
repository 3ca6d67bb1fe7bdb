import type { Log } from '../../../runtime/log.ts';
import { pause } from '../../../waiting/pause.ts';
import { StoreError } from '../../error.ts';
import type { Offset } from '../../offset.ts';
import type { Condition } from '../../store.ts';
import { primaries, type RedisConnection, replyOf } from '../connection/connection.ts';
import type { RedisKeys } from '../connection/keys.ts';
import { refusalReason } from '../connection/refusals.ts';
import type { FailoverListener } from '../connection/sentinels.ts';
import { evalAndWait } from '../durability.ts';
import { script } from '../scripts/script.ts';
import { type DurabilityLevel, inspect } from './inspection.ts';
import { AFTERMATH_MS, KnownLog, type Loss, type Survey } from './known.ts';
import { type Mark, markProblem, markText, readMark, WHAT_HELPS } from './mark.ts';
import { surveyAll } from './survey.ts';

/** Interval in ms between checks. Four checks may fail before the 5 s are over within which a loss must be noticed. */
const CHECK_EVERY_MS = 1_000;
/** Pause in ms before a check is repeated that failed, or that a reconnect has made necessary. */
const RECHECK_MS = 100;
/**
 * How long in ms appends wait for the end of a failover. After that, it is treated as if it had been given up: the primary answers,
 * or it does not.
 */
const HOLD_MS = 10_000;
/** How long in ms a probe stays in Redis. */
const PROBE_TTL_MS = 60_000;

const probe = script<'probe', 'ttlMs'>('log/probe');

export interface GuardParts {
  /** Used only for checks, so that they wait behind nothing. */
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly partitions: number;
  readonly mark: Mark;
  readonly durability: DurabilityLevel;
  /** With durability `replicated`: how many replicas must have a vote before it is acknowledged. */
  readonly replicas: number;
  /** True for a cluster, in which partitions may be on different servers. */
  readonly isCluster: boolean;
  /** Called when a restart or a failover has lost entries that were known to be stored. */
  readonly onLoss?: ((loss: Loss) => void) | undefined;
  readonly log: Log;
}

/**
 * Watches whether Redis still is the store that this process knows, has what was acknowledged, and takes votes. Checks once a
 * second, and before the first append after each reconnect.
 */
export class StoreGuard implements FailoverListener {
  private readonly parts: GuardParts;
  private readonly log: Log;
  private readonly known: readonly KnownLog[];
  /** The histories of all primaries. */
  private histories: ReadonlySet<string> = new Set();
  private readonly halt = new AbortController();
  private watching = Promise.resolve();
  private mark: Mark;
  private wake = () => {};
  private reconnects = 0;
  private checkedReconnects = -1;
  private newHistoryAtMs = Number.NEGATIVE_INFINITY;
  private gone: string | undefined;
  private unfit: string | undefined;
  private refused: string | undefined;
  private heldUntilMs = Number.NEGATIVE_INFINITY;
  private mustResync = false;
  private resync = async (): Promise<void> => {};

  private constructor(parts: GuardParts) {
    this.parts = parts;
    this.log = parts.log;
    this.mark = parts.mark;
    this.known = Array.from({ length: parts.partitions }, () => new KnownLog());
  }

  /** Checks once, then watches. @throws StoreError if data is gone or the server is unsuitable */
  static async open(parts: GuardParts): Promise<StoreGuard> {
    const guard = new StoreGuard(parts);
    await guard.check();
    const problem = guard.gone ?? guard.unfit;
    if (problem !== undefined) throw new StoreError(problem);
    guard.watching = guard.watch();
    return guard;
  }

  async close(): Promise<void> {
    this.halt.abort();
    this.wake();
    await this.watching;
  }

  /** The text of the mark that the store must have. */
  get markText(): string {
    return markText(this.mark);
  }

  /** Why stored data is gone, as a sentence; undefined if it is there, as far as this process knows. */
  get loss(): string | undefined {
    return this.gone;
  }

  /** Why nothing may be appended now, as a sentence; undefined if it may. */
  get obstacle(): string | undefined {
    if (this.gone ?? this.unfit) return this.gone ?? this.unfit;
    if (performance.now() < this.heldUntilMs) return 'a failover of Redis is under way';
    return this.checkedReconnects === this.reconnects && !this.mustResync
      ? undefined
      : 'Redis has not been checked since the last reconnect';
  }

  condition(): Condition {
    if (this.gone !== undefined) return { ok: false, reason: this.gone, isGone: true };
    const reason = this.unfit ?? this.refused;
    return reason === undefined ? { ok: true } : { ok: false, reason };
  }

  /** Sets what must be done after a restart or failover before anything is appended: learn which documents are gone. */
  resyncBy(resync: () => Promise<void>): void {
    this.resync = resync;
  }

  /** The newest entry that a partition’s log is known to have; empty if none is. */
  newest(partition: number): Offset | '' {
    return this.known[partition]?.recent ?? '';
  }

  /** Notes an entry that was acknowledged. */
  stored(partition: number, offset: Offset): void {
    this.known[partition]?.note(offset);
  }

  /** Notes the newest entry of a partition that was read. */
  read(partition: number, offset: Offset): void {
    // What replicas do not have yet may vanish without ever having been acknowledged.
    if (this.parts.replicas === 0) this.known[partition]?.note(offset);
  }

  /** Notes that an append failed, with the message of Redis. */
  failed(message: string): void {
    const reason = refusalReason(message);
    if (reason !== undefined) this.setRefused(reason);
  }

  /** Checks soon, because something looks wrong. */
  suspect(): void {
    this.wake();
  }

  /** Allows no append until everything has been checked, because a connection was lost and may now lead elsewhere. */
  reconnected(): void {
    this.reconnects++;
    this.wake();
  }

  /** Allows no append for a while: the old primary would still accept votes, and lose them when it becomes a replica. */
  begins(text: string): void {
    const isNew = performance.now() >= this.heldUntilMs;
    this.heldUntilMs = performance.now() + HOLD_MS;
    if (isNew) this.log.warn({ text }, 'the sentinels begin a failover; appends wait for the new primary');
  }

  switched(): void {
    this.heldUntilMs = Number.NEGATIVE_INFINITY;
    this.reconnected();
  }

  givenUp(): void {
    this.heldUntilMs = Number.NEGATIVE_INFINITY;
    this.wake();
  }

  private async watch(): Promise<void> {
    const { signal } = this.halt;
    let waitMs = CHECK_EVERY_MS;
    while (!signal.aborted) {
      const woken = new AbortController();
      this.wake = () => woken.abort();
      await pause(this.obstacle === undefined ? waitMs : Math.min(waitMs, RECHECK_MS * 5), woken.signal);
      if (signal.aborted) return;
      try {
        await this.check();
        waitMs = CHECK_EVERY_MS;
      } catch (error) {
        this.log.debug({ err: error }, 'could not check Redis');
        this.failed((error as Error).message);
        waitMs = RECHECK_MS;
        await pause(RECHECK_MS, signal);
      }
    }
  }

  private async check(): Promise<void> {
    const { reconnects } = this;
    const { connection, keys } = this.parts;
    const here = await readMark(connection, keys);
    const registryMark = await replyOf(connection.get(keys.registryMark));
    const surveys = await surveyAll(connection, keys, this.known);
    // Asked after the surveys: whatever they miss because of a failover, the servers know about the failover.
    await this.inspect();
    this.adopt(here, registryMark, surveys);
    this.report(this.compare(here, registryMark, surveys));
    if (this.gone !== undefined) return;
    if (this.mustResync) await this.resync();
    this.mustResync = false;
    await this.probe();
    this.checkedReconnects = reconnects;
  }

  /** Notices restarts and failovers, and servers that do not provide the durability. */
  private async inspect(): Promise<void> {
    const servers = primaries(this.parts.connection);
    const facts = await Promise.all(servers.map((server) => inspect(server, this.parts.durability)));
    const isNew = this.histories.size > 0 && facts.some(({ history }) => !this.histories.has(history));
    if (isNew) {
      this.newHistoryAtMs = performance.now();
      this.mustResync = true;
      this.log.warn('Redis was restarted, or another server has taken over; checking what it has');
    }
    this.histories = new Set(facts.map(({ history }) => history));
    const replica = facts.find(({ role }) => role !== '' && role !== 'master');
    const unfit = facts.find(({ problem }) => problem !== undefined)?.problem;
    this.unfit = unfit ?? (replica && refusalReason('READONLY: its role is replica'));
  }

  /** Adopts a new mark, if an operator has accepted the store everywhere. */
  private adopt(here: Mark | undefined, registryMark: string | null, surveys: readonly Survey[]): void {
    if (here === undefined || here.epoch <= this.mark.epoch) return;
    const text = markText(here);
    if (registryMark !== text || !surveys.every(({ mark }) => mark === text)) return;
    this.mark = here;
    for (const [p, found] of surveys.entries()) this.known[p]?.reset(found, false);
    this.log.warn({ mark: text }, 'an operator has accepted the store as it is; going on with it');
  }

  /** What is gone, as a clause; undefined if nothing is. Reports what a restart or failover has lost, and goes on from there. */
  private compare(here: Mark | undefined, registryMark: string | null, surveys: readonly Survey[]): string | undefined {
    const logMarks = surveys.map(({ mark }) => mark);
    const problem = markProblem(this.mark, { here, registryMark: registryMark ?? '', logMarks });
    if (problem !== undefined) return problem;
    const isAftermath = performance.now() - this.newHistoryAtMs < AFTERMATH_MS;
    for (const [p, found] of surveys.entries()) {
      const known = this.known[p] as KnownLog;
      const finding = known.judge(found);
      if (finding === 'gone' || (finding === 'shortened' && !isAftermath)) {
        return `the log of partition ${p} lacks entries that were acknowledged or counted`;
      }
      if (finding === 'shortened') this.lose(p, known, found);
      known.learn(found, this.parts.replicas === 0);
    }
    return undefined;
  }

  private lose(partition: number, known: KnownLog, found: Survey): void {
    const loss = { partition, after: found.last, until: known.recent || found.last };
    known.reset(found, found.hasSettled);
    this.log.error(loss, 'Redis has lost acknowledged votes in a restart or failover; they are not counted');
    this.parts.onLoss?.(loss);
  }

  private report(what: string | undefined): void {
    const reason = what && `Redis answers, but ${what}; ${WHAT_HELPS}`;
    if (reason === this.gone) return;
    if (reason !== undefined) this.log.error({ reason }, 'stored data is gone, so no votes are acknowledged');
    else this.log.warn('the stored data is there; votes are acknowledged again');
    this.gone = reason;
  }

  /** Tries to write on each server that may receive votes. */
  private async probe(): Promise<void> {
    const { keys, connection, partitions, isCluster, replicas } = this.parts;
    const probed = Array.from({ length: isCluster ? partitions : 1 }, async (_, p) => {
      const call = probe({ probe: keys.probe(p) }, { ttlMs: PROBE_TTL_MS });
      await (replicas > 0 ? evalAndWait(connection, call, replicas) : connection.eval(...call));
    });
    try {
      await Promise.all(probed);
      this.setRefused(undefined);
    } catch (error) {
      const reason = refusalReason((error as Error).message);
      if (reason === undefined) throw error;
      this.setRefused(reason);
    }
  }

  private setRefused(reason: string | undefined): void {
    if (reason && !this.refused) this.log.error({ reason }, 'Redis refuses writes, so no votes are acknowledged');
    if (!reason && this.refused) this.log.info('Redis accepts writes again');
    this.refused = reason;
  }
}
