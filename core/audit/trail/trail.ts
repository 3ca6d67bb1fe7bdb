import { StoreAway, StoreError } from '../../store/error.ts';
import type { Registry } from '../../store/store.ts';
import type { AuditFact, AuditRecord } from './fact.ts';
import { EMPTY_TRAIL, KEPT_RECORDS, nextRecord, type TrailEnd } from './record.ts';

/** The number of records that may wait in one process to be appended. */
const MAX_WAITING = 1_000;
/** How many of these are kept for refusals: actions are not begun if their records would need them. */
const KEPT_FOR_REFUSALS = 100;
/** How often an append is tried again because another process appended first. */
const MAX_TRIES = 1_000;
/** The number of records read at a time. */
export const MAX_PAGE = 500;

/** The id of the document that says where the end was. */
const END = 'end';

export interface TrailPage {
  readonly records: readonly AuditRecord[];
  readonly next: number | undefined;
}

/**
 * The audit trail: every operator action and refusal, in one chain of hashes. A record is a document whose id is its number, and
 * is written only if there is none with that number yet. So of two processes that append at the same time, one finds that the
 * other was first, reads that record and follows it: the chain cannot fork. A hint says where the end was; whoever appends looks
 * from there for the true end.
 */
export class AuditTrail {
  private readonly registry: Registry;
  private readonly kept: number;
  private tail: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** @param kept how many records are kept, instead of the default */
  constructor(registry: Registry, kept = KEPT_RECORDS) {
    this.registry = registry;
    this.kept = kept;
  }

  /**
   * Checks that the record of an action will find a place, before the action takes effect.
   *
   * @param underWay the number of actions under way, whose records are still to come
   * @throws StoreAway if too many records wait already
   */
  demandPlace(underWay: number): void {
    if (this.waiting + underWay >= MAX_WAITING - KEPT_FOR_REFUSALS) throw tooManyWait();
  }

  /** Appends a record. Resolves once it is durable. @throws StoreError */
  append(fact: AuditFact): Promise<AuditRecord> {
    if (this.waiting >= MAX_WAITING) return Promise.reject(tooManyWait());
    this.waiting++;
    const appended = this.tail.then(() => this.add(fact)).finally(() => this.waiting--);
    this.tail = appended.catch(() => {});
    return appended;
  }

  /** The end of the trail. */
  async end(): Promise<TrailEnd> {
    let end = (await this.registry.get<TrailEnd>('trail', END))?.value ?? (await this.lastListed());
    for (;;) {
      const next = await this.read(end.number + 1);
      if (!next) return end;
      end = next;
    }
  }

  /**
   * The records before a number, newest first; the newest ones if it is undefined.
   *
   * @param limit at most `MAX_PAGE`
   * @returns also `next`, which is `before` of the following page; undefined if there is none
   */
  async page(before: number | undefined, limit: number): Promise<TrailPage> {
    const { number: last } = await this.end();
    const first = Math.max(1, last - this.kept + 1);
    const from = Math.min(last, (before ?? last + 1) - 1);
    const length = Math.max(0, Math.min(limit, MAX_PAGE, from - first + 1));
    const found = await Promise.all(Array.from({ length }, (_, i) => this.read(from - i)));
    const lowest = from - length + 1;
    return {
      records: found.filter((record) => record !== undefined),
      next: length > 0 && lowest > first ? lowest : undefined,
    };
  }

  /** Every record that is kept, oldest first, as of now. */
  async *all(): AsyncGenerator<AuditRecord> {
    const { number: last } = await this.end();
    for (let first = Math.max(1, last - this.kept + 1); first <= last; first += MAX_PAGE) {
      const from = first;
      const length = Math.min(MAX_PAGE, last - from + 1);
      const found = await Promise.all(Array.from({ length }, (_, i) => this.read(from + i)));
      for (const record of found) if (record) yield record;
    }
  }

  private async add(fact: AuditFact): Promise<AuditRecord> {
    const at = new Date().toISOString();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const record = nextRecord(await this.end(), fact, at);
      const { number, hash } = record;
      if ((await this.registry.put('trail', idOf(number), record, 0)) === undefined) continue;
      await this.registry.put<TrailEnd>('trail', END, { number, hash });
      if (number > this.kept) await this.registry.remove('trail', idOf(number - this.kept));
      return record;
    }
    throw new StoreError(`other processes appended first ${MAX_TRIES} times`);
  }

  private async read(number: number): Promise<AuditRecord | undefined> {
    return (await this.registry.get<AuditRecord>('trail', idOf(number)))?.value;
  }

  /** The last record without the help of the hint, which is missing if there are no records. */
  private async lastListed(): Promise<TrailEnd> {
    const found = await this.registry.list<TrailEnd>('trail');
    return found.reduce((last, { value }) => (value.number > last.number ? value : last), EMPTY_TRAIL);
  }
}

function tooManyWait(): StoreAway {
  return new StoreAway('too many records wait for the store');
}

function idOf(number: number): string {
  return String(number).padStart(12, '0');
}
