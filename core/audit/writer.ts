import { createHash } from 'node:crypto';
import type { Accounting } from '../voting/count/accounting.ts';
import { entryText } from '../voting/count/entries/json.ts';
import type { Entry, Marker, UnreadableEntry } from '../voting/count/entry.ts';
import { entryOfRound, Replay } from '../voting/count/replay.ts';
import type { Poll } from '../voting/poll/poll.ts';
import { recordOf } from '../voting/rules/record.ts';
import { type Content, type Count, countOf, FORMAT, hashOf, outcomeOf, VERSION } from './format.ts';
import { lateBallots, secretBallots } from './secret-ballots.ts';
import { SecretLines } from './secret-lines.ts';
import type { AuditRecord } from './trail/fact.ts';

/** Produces the lines of a bundle, in order: the header, those of all log entries, and the ending. */
export class BundleWriter {
  private readonly poll: Poll;
  private readonly isSecret: boolean;
  private readonly recounts: readonly Replay[];
  private readonly markers = new Map<Marker['type'], Marker>();
  private records: readonly AuditRecord[] = [];
  private hash = '';

  constructor(poll: Poll, partitions: number) {
    this.poll = poll;
    const { definition, round } = poll;
    this.isSecret = definition.secrecy === 'secret';
    this.recounts = Array.from({ length: partitions }, () => new Replay(definition.poll, round));
  }

  /** @param records what operators did to the poll, for the end of the bundle */
  header(records: readonly AuditRecord[] = []): string {
    this.records = records;
    const { definition, round } = this.poll;
    const { poll } = definition;
    const form = this.isSecret ? VERSION.ballots : VERSION.log;
    const version = records.length > 0 ? VERSION.records : form;
    const partitions = this.recounts.length;
    const record = recordOf(this.poll);
    return this.line({ header: { format: FORMAT, version, poll, round, partitions, definition, record } });
  }

  /** The line for a log entry; empty if the entry does not belong to the round, or the round is secret. */
  entry(partition: number, offset: string, entry: Entry): string {
    const { definition, round } = this.poll;
    const ours = entryOfRound(entry, definition.poll, round);
    if (!ours || (ours.type === 'votes' && ours.rounds.length === 0)) return '';
    this.recounts[partition]?.add([ours]);
    if (!this.isSecret) return this.line({ partition, offset, entry: entryText(ours) });
    if (ours.type !== 'votes' && !this.markers.has(ours.type)) this.markers.set(ours.type, ours);
    return '';
  }

  /** The line for an entry that cannot be read; empty if no vote of the round can have been in it, or the round is secret. */
  unreadable(partition: number, offset: string, entry: UnreadableEntry): string {
    const replay = this.recounts[partition];
    if (!replay?.slice?.open) return '';
    replay.add([entry]);
    if (this.isSecret) return '';
    const { why, content } = entry;
    const sha256 = createHash('sha256').update(content).digest('hex');
    return this.line({ partition, offset, unreadable: { why, bytes: Buffer.byteLength(content), sha256 } });
  }

  /** What follows the log entries: records of the audit trail and the result; in a secret round, before that, markers and ballots. */
  *ending(): Generator<string> {
    const count = countOf(this.poll, this.recounts);
    if (!this.isSecret) {
      for (const record of this.records) yield this.line({ record });
      yield this.line({ result: outcomeOf(this.poll, count) });
      return;
    }
    for (const content of this.secretContents(count)) yield this.line(content);
  }

  /** What the bundle of a secret round has instead of log entries. All partitions have the same markers, so one is enough. */
  private *secretContents({ accounting, problems }: Count): Generator<Content> {
    const lines = new SecretLines(this.poll);
    for (const content of this.markersAndBallots(accounting, problems)) {
      lines.take(content);
      yield content;
    }
    for (const record of this.records) yield { record };
    yield { result: outcomeOf(this.poll, lines.count) };
  }

  private *markersAndBallots({ replaced, redelivered, rejected }: Accounting, problems: Count['problems']) {
    const [open, close] = [this.markers.get('open'), this.markers.get('close')];
    const late = lateBallots(this.poll, this.recounts);
    if (open) yield { entry: entryText(open) };
    for (const ballot of secretBallots(this.poll, this.recounts)) yield { ballot };
    yield { apart: { replaced, redelivered, rejected, ...(late === undefined ? {} : { late }), problems } };
    if (close) yield { entry: entryText(close) };
  }

  private line(content: Content): string {
    this.hash = hashOf(this.hash, content);
    return `${JSON.stringify({ ...content, hash: this.hash })}\n`;
  }
}
