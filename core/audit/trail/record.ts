import { createHash } from 'node:crypto';
import type { AuditFact, AuditRecord } from './fact.ts';

/** The maximum length of the values before and after, and of the other texts of a record. Lists are kept as they are. */
const MAX_TEXT = 300;

/** The number of records kept. Older ones are removed; the first one kept still names the hash of the one before it. */
export const KEPT_RECORDS = 100_000;
/** How many records may be removed while a full trail is read. */
const REMOVED_MEANWHILE = 1_000;

/** The end of a trail: the number and the hash of its last record. */
export type TrailEnd = Pick<AuditRecord, 'number' | 'hash'>;

/** The end of a trail without records. */
export const EMPTY_TRAIL: TrailEnd = { number: 0, hash: '' };

/** The record that follows `end`. */
export function nextRecord(end: TrailEnd, fact: AuditFact, at: string): AuditRecord {
  const texts = Object.entries(fact).map(([field, value]) => [field, typeof value === 'string' ? cut(value) : value]);
  const content = {
    number: end.number + 1,
    at,
    ...(Object.fromEntries(texts) as AuditFact),
    previous: end.hash,
  };
  return { ...content, hash: hashOf(content) };
}

/** True if a record has the hash that follows from its content. */
export function isIntact({ hash, ...content }: AuditRecord): boolean {
  return hash === hashOf(content);
}

/** Checks records in their order, oldest first. The first one may follow records that are no longer kept. */
export class TrailCheck {
  private readonly found: string[] = [];
  private first: AuditRecord | undefined;
  private last: AuditRecord | undefined;
  private count = 0;

  add(record: AuditRecord): void {
    const { last } = this;
    const name = `record ${record.number}`;
    if (!isIntact(record)) this.problem(`${name}: the hash does not match: the record was changed`);
    if (last && record.number !== last.number + 1) this.problem(`${name}: does not follow record ${last.number}`);
    if (last && record.previous !== last.hash) this.problem(`${name}: has another hash for the record before it`);
    if (record.number === 1 && record.previous !== '') this.problem(`${name}: is not the first record`);
    this.first ??= record;
    this.last = record;
    this.count++;
  }

  /** Whether all is well, and if not, why; how many records were checked; and the end of the trail. */
  report() {
    const { number, hash } = this.last ?? EMPTY_TRAIL;
    const problems = [...this.found, ...this.missing(number)].slice(0, MAX_PROBLEMS);
    return { intact: problems.length === 0, problems, records: this.count, end: { number, hash } };
  }

  /** Records are removed from the beginning, but only when there are more than are kept. */
  private missing(last: number): string[] {
    const first = this.first?.number ?? 1;
    const mayBegin = last <= KEPT_RECORDS ? 1 : last - KEPT_RECORDS + 1 + REMOVED_MEANWHILE;
    return first > mayBegin ? [`records before ${first} are missing, but should still be kept`] : [];
  }

  private problem(text: string): void {
    if (this.found.length < MAX_PROBLEMS) this.found.push(text);
  }
}

/** The maximum number of problems that a check lists. */
const MAX_PROBLEMS = 20;

function hashOf(content: Omit<AuditRecord, 'hash'>): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
