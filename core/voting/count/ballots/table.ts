import { type Revote, votesAllowed } from '../../rules/settings.ts';
import type { Ballot } from '../ballot.ts';
import { FLAG, NONE, type VoteColumns } from '../entries/columns.ts';
import { NO_CAST } from './casts.ts';
import { decodePage, encodePage, pageOf, pagesFor } from './pages.ts';
import { BallotRows } from './rows.ts';

/** What became of votes. */
export interface Outcome {
  /** Ballots that count, less those that no longer do. */
  counted: number;
  /** Ballots that were replaced or withdrawn, and withdrawals. */
  replaced: number;
  redelivered: number;
  alreadyVoted: number;
  nothingToWithdraw: number;
  tooManyVotes: number;
}

const nothing = (): Outcome => ({
  ...{ counted: 0, replaced: 0, redelivered: 0 },
  ...{ alreadyVoted: 0, nothingToWithdraw: 0, tooManyVotes: 0 },
});

/**
 * The ballots of one round in one partition. Applies votes by the rules of the round, and knows which pages must be stored
 * again.
 */
export class BallotTable {
  private readonly isFirstOnly: boolean;
  /** True for `max n`, the only rule for which the number of each voter’s votes is tracked. */
  private readonly isLimited: boolean;
  private readonly allowed: number;
  private readonly rows = new BallotRows();
  private result = nothing();
  /** By number of a cast: by how much its number of ballots has changed. */
  private shifts: number[] = [];
  private readonly shifted: number[] = [];
  /** By page: 1 if it has changed since it was stored. */
  private changed = new Uint8Array(1);
  private hasChanged = false;

  constructor(revote: Revote) {
    this.isFirstOnly = revote === 'first';
    this.isLimited = revote !== 'last' && !this.isFirstOnly;
    this.allowed = votesAllowed(revote) ?? 1;
  }

  /** How many voters have a ballot, withdrawn ones included. */
  get size(): number {
    return this.rows.size;
  }

  /** Over how many pages the ballots are spread. */
  get pages(): number {
    return this.changed.length;
  }

  ballotOf(voter: string): Ballot | undefined {
    const row = this.rows.rowOf(voter);
    return row === undefined ? undefined : this.rows.at(row);
  }

  /** Every ballot, withdrawn ones included. */
  *[Symbol.iterator](): Generator<readonly [voter: string, ballot: Ballot]> {
    for (let row = 0; row < this.size; row++) yield [this.rows.voters[row] as string, this.rows.at(row)];
  }

  /** Adds a ballot that is not stored in a page. */
  add(voter: string, ballot: Ballot): void {
    this.touch(this.rows.put(voter, ballot));
  }

  /** Adds the ballots of stored pages. @param pages over how many pages the round is spread @throws MalformedBytes */
  load(stored: Iterable<Uint8Array>, pages: number): void {
    if (pages > this.pages) this.changed = new Uint8Array(pages);
    for (const page of stored) decodePage(page, this.rows);
  }

  /** The pages that have changed since this was last called. From then on, they count as stored. */
  changedPages(): Map<number, Uint8Array> {
    const found = new Map<number, Uint8Array>();
    if (!this.hasChanged) return found;
    const { rows } = this;
    rows.tidy();
    const before = this.pages;
    const pages = Math.max(before, pagesFor(rows.size));
    if (pages !== before) this.changed = new Uint8Array(pages).fill(1);
    const rowsOf = new Map<number, number[]>();
    for (let row = 0; row < rows.size; row++) {
      const page = pageOf(rows.hashes[row] as number, pages);
      if (this.changed[page] === 0) continue;
      const known = rowsOf.get(page);
      if (known) known.push(row);
      else rowsOf.set(page, [row]);
    }
    // A page all of whose ballots have moved to others is emptied.
    if (pages !== before) for (let page = 0; page < before; page++) if (!rowsOf.has(page)) rowsOf.set(page, []);
    for (const [page, some] of rowsOf) found.set(page, encodePage(rows, some));
    this.changed.fill(0);
    this.hasChanged = false;
    return found;
  }

  /** What became of the votes since this was last called. */
  outcome(): Outcome {
    const { result } = this;
    this.result = nothing();
    return result;
  }

  /** The casts that have more or fewer ballots than when this was last called. */
  moved(): (readonly [cast: string, by: number])[] {
    const moved: (readonly [string, number])[] = [];
    for (const cast of this.shifted) {
      const by = this.shifts[cast] as number;
      this.shifts[cast] = 0;
      moved.push([this.rows.book.texts[cast] as string, by]);
    }
    this.shifted.length = 0;
    return moved;
  }

  /** Forgets `outcome` and `moved`, for votes whose counts are known already. */
  settle(): void {
    this.outcome();
    this.moved();
  }

  /** Applies the votes of an entry, in their order. @param atMs when the entry was logged, in ms since 1970 */
  take(votes: VoteColumns, atMs: number): void {
    const { rows } = this;
    const { length, voters, voterOf, choiceOf } = votes;
    // Voters and choices are looked up once per entry, not once per vote.
    const casts = votes.choices.map((choice) => rows.book.numberOf(choice));
    const rowOf = voters.map((voter) => rows.rowOf(voter) ?? NONE);
    for (let i = 0; i < length; i++) {
      const voter = voterOf[i] as number;
      rowOf[voter] = this.apply(
        voters[voter] as string,
        rowOf[voter] as number,
        casts[choiceOf[i] as number] as number,
        votes,
        i,
        atMs,
      );
    }
  }

  /** Applies one vote of an entry. */
  takeOne(votes: VoteColumns, i: number, atMs: number): void {
    const voter = votes.device(i);
    this.apply(voter, this.rows.rowOf(voter) ?? NONE, this.rows.book.numberOf(votes.choice(i)), votes, i, atMs);
  }

  /** @returns the row of the voter; `NONE` if the voter still has no ballot */
  private apply(voter: string, known: number, cast: number, votes: VoteColumns, i: number, atMs: number): number {
    const { rows, result } = this;
    const connection = Math.max(0, votes.connection(i));
    const packet = votes.packet(i);
    const n = votes.n(i);
    const before = known === NONE ? NO_CAST : (rows.casts[known] as number);
    if (known !== NONE) {
      if (this.isRedelivery(known, cast, connection, packet, n, votes.flags[i] as number)) {
        result.redelivered++;
        return known;
      }
      if (this.isFirstOnly) {
        result.alreadyVoted++;
        return known;
      }
    }
    if (cast === NO_CAST) {
      if (before === NO_CAST) {
        result.nothingToWithdraw++;
        return known;
      }
    } else if (known !== NONE && this.isLimited && (rows.votes[known] as number) >= this.allowed) {
      result.tooManyVotes++;
      return known;
    }
    const { choiceOf, isTimed, isLate } = rows.book;
    // Giving the same answer again does not make it slower, unless the time of the vote is part of it, as in a pulse.
    const isSame = before !== NO_CAST && choiceOf[before] === choiceOf[cast] && !isTimed[cast];
    const row = known === NONE ? rows.insert(voter) : known;
    // A late vote counts only because of its press time, so that is its time.
    if (!isSame) {
      const t = isLate[cast] ? votes.t(i) : NONE;
      rows.times[row] = t === NONE ? atMs : t;
    }
    if (before !== NO_CAST) {
      result.counted--;
      result.replaced++;
    }
    // A withdrawal never counts as a ballot: it is accounted for as replaced, like the ballot it withdraws.
    if (cast === NO_CAST) result.replaced++;
    else result.counted++;
    if (before !== cast) {
      if (before !== NO_CAST) this.shift(before, -1);
      if (cast !== NO_CAST) this.shift(cast, 1);
    }
    rows.casts[row] = cast;
    // If the vote has no n, the ballot keeps its previous n, so that an older numbered vote still cannot replace it.
    if (n !== NONE) rows.numbers[row] = n;
    if (this.isLimited) rows.votes[row] = (rows.votes[row] as number) + 1;
    this.rememberPacket(row, connection, packet);
    if (connection > (rows.connections[row] as number)) rows.connections[row] = connection;
    this.touch(row);
    return row;
  }

  /**
   * If both the vote and the ballot have sequence numbers, the vote is a redelivery unless its number is higher. Otherwise, a
   * vote from an earlier connection than the ballot’s is a redelivery: it was delayed at another broker, and the device has since
   * sent it again or voted differently. A packet that was already counted is a redelivery as well, even if a newer vote has
   * replaced it since. So is a vote with MQTT’s DUP flag and the same choice as the ballot, because the first copy was counted.
   */
  private isRedelivery(
    row: number,
    cast: number,
    connection: number,
    packet: number,
    n: number,
    flags: number,
  ): boolean {
    const { rows } = this;
    const number = rows.numbers[row] as number;
    if (n !== NONE && number !== NONE) return n <= number;
    const last = rows.connections[row] as number;
    if (connection < last) return true;
    const { choiceOf, isTimed } = rows.book;
    // Many clients send a packet again after they have reconnected, and not all of them set DUP as MQTT demands [MQTT-3.3.1-1]. In
    // a poll whose votes expire, a vote without DUP counts nevertheless: a clicker that starts anew for each press repeats both
    // packet ids and payloads, and each of its presses renews the vote.
    const dup = (flags & FLAG.dup) !== 0;
    const isAgain = dup || (connection > last && (flags & FLAG.mayRepeat) !== 0 && !isTimed[cast]);
    if (isAgain && packet !== NONE && rows.hasPacket(row, packet)) return true;
    // Only the choices are compared: the redelivered copy may be marked as late or carry a later second.
    return dup && choiceOf[cast] === choiceOf[rows.casts[row] as number];
  }

  /** Remembers the packet of a vote that was counted, and forgets those that cannot be sent again. */
  private rememberPacket(row: number, connection: number, packet: number): void {
    const { rows } = this;
    const last = rows.connections[row] as number;
    if (connection > last) rows.forgetPackets(row);
    // A client uses a packet id again only after the acknowledgement of its last packet with that id.
    else if (packet !== NONE) rows.forgetId(row, packet);
    if (packet !== NONE && connection >= last) rows.addPacket(row, packet);
  }

  private shift(cast: number, by: number): void {
    const before = this.shifts[cast];
    if (!before) this.note(cast);
    this.shifts[cast] = (before ?? 0) + by;
  }

  private note(cast: number): void {
    while (this.shifts.length <= cast) this.shifts.push(0);
    this.shifted.push(cast);
  }

  private touch(row: number): void {
    this.changed[pageOf(this.rows.hashes[row] as number, this.changed.length)] = 1;
    this.hasChanged = true;
  }
}
