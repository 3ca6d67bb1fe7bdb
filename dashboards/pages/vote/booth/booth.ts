import { WITHDRAW } from '../../../../core/voting/count/vote.ts';
import type { Question } from '../../ballot/form.ts';
import { BASE } from '../../base.ts';
import { VoterConnection } from './connection.ts';
import { FollowedResult } from './followed-result.ts';
import { Entrance } from './joining/entrance.ts';
import { areVoid, JoinRefused, joinPatiently, serverSkewMs } from './joining/guest.ts';
import { type Credentials, inRoom, isVoterOf, keep, type Memory, recall } from './memory.ts';
import { isExpected, joined, nextNumber, type OwnVote, undelivered, withOutcome, withVote } from './outbox.ts';
import { payloadOf } from './payload.ts';
import { Questions } from './questions.ts';
import { sleep } from './sleep.ts';
import { type BoothState, NOTHING } from './state.ts';
import { Tabs } from './tabs.ts';

/** If no receipt arrives within this many ms after the acknowledgement, the vote is sent again. */
const RECEIPT_LIMIT_MS = 3_000;
/** The pause in ms before an undelivered vote is sent again. */
const RETRY_MS = 1_000;
/** If no retained message arrives within this many ms after subscribing, the room has no question. */
const RETAINED_LIMIT_MS = 4_000;
/** The maximum number of polls with undelivered votes that are subscribed to at once. */
const MAX_SUBSCRIBED = 10;

/**
 * A phone in a room: joins as a guest, keeps each vote until it is delivered, and reports its state. A vote is `queued`, then
 * `sent`, then `accepted` or `rejected` by the receipt. It is sent again until the receipt arrives, with the same number, so
 * that a redelivery is recognised, and with its round, so that it cannot be counted in another round.
 */
export class Booth {
  private readonly room: string;
  private readonly onState: (state: BoothState) => void;
  private readonly entrance: Entrance;
  private readonly tabs = new Tabs(() => this.leave());
  private memory: Memory = recall();
  private connection: VoterConnection | undefined;
  private now: BoothState = { phase: 'joining', ...NOTHING };
  /** Incremented whenever this tab starts or stops voting, so that pending work can tell that it is out of date. */
  private turn = 0;
  /** Whether the room’s question has arrived on this connection. */
  private hasRoomArrived = false;
  private emptyRoomTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly questions = new Questions();
  private readonly followed = new FollowedResult((result) => this.change({ result }));
  private delivering: Promise<void> | undefined;
  private receipt: { readonly poll: string; readonly settle: (receipt: string) => void } | undefined;

  constructor(room: string, onState: (state: BoothState) => void) {
    this.room = room;
    this.onState = onState;
    this.entrance = new Entrance(room, (asks) => this.change({ asks }));
  }

  /** Enters the room, or returns to it after another tab took over. */
  async start(): Promise<void> {
    const turn = ++this.turn;
    this.connection?.stop();
    this.tabs.take();
    this.entrance.leave();
    this.keep(inRoom(recall(), this.room));
    this.change({ phase: 'joining', asks: undefined, skewMs: this.memory.skewMs ?? 0 });
    const credentials = this.memory.credentials ?? (await this.join(turn));
    if (!credentials || turn !== this.turn) return;
    const { last } = this.memory;
    const known = last?.room === this.room ? { question: last.question, isKnown: true } : {};
    this.change({ phase: 'voting', problem: undefined, hasNoRoom: undefined, ...known });
    void this.measureSkew(turn);
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.connection = new VoterConnection(`${scheme}://${location.host}${BASE}/mqtt`, credentials, {
      onUp: () => this.enter(),
      onDown: () => this.handleDisconnect(),
      onReady: () => this.handleReady(),
      onMessage: (topic, text) => this.handleMessage(topic, text),
      onRefused: async () => ((await areVoid(this.credentials)) ? this.requestCredentials(turn) : undefined),
    });
    this.connection.start();
  }

  /** Joins with a code. */
  enterCode(code: string): void {
    this.entrance.enterCode(code);
  }

  /** Casts a vote on the current question, and keeps it until it is delivered, even while offline. */
  cast(choice: string): void {
    const { question, skewMs } = this.now;
    if (!question || !this.isHere()) return;
    const { poll, round } = question;
    const t = Math.round(Date.now() + skewMs);
    this.remember({ poll, round, room: this.room, choice, n: nextNumber(this.memory, t), t, state: 'queued' });
    this.deliver();
  }

  /** Stops voting in this tab, because another tab has taken over. */
  private leave(): void {
    if (this.now.phase === 'elsewhere') return;
    this.turn++;
    this.connection?.stop();
    this.connection = undefined;
    this.receipt?.settle('');
    this.entrance.leave();
    clearTimeout(this.emptyRoomTimer);
    this.followed.stop();
    this.change({ phase: 'elsewhere', isUp: false });
  }

  /** Whether this tab is still the one that votes. If another tab has taken over, this tab stops. */
  private isHere(): boolean {
    if (this.now.phase === 'elsewhere') return false;
    if (this.tabs.isOurs()) return true;
    this.leave();
    return false;
  }

  private join(turn: number): Promise<Credentials | undefined> {
    const isWanted = () => turn === this.turn;
    return joinPatiently(
      () => this.requestCredentials(turn),
      isWanted,
      (error) => {
        const hasNoRoom = error instanceof JoinRefused && error.code === 'no-such-room';
        this.change({ problem: error.message, hasNoRoom });
      },
    );
  }

  /** Requests credentials. @throws Error with the server’s reason for refusing */
  private async requestCredentials(turn: number): Promise<Credentials | undefined> {
    const { code: last } = this.memory;
    const answer = await this.entrance.join(last?.room === this.room ? last.code : undefined);
    if (!answer || turn !== this.turn || !this.isHere()) return undefined;
    const { credentials, code } = answer;
    this.keep({
      ...joined(this.memory, credentials),
      code: code === undefined ? undefined : { room: this.room, code },
    });
    return credentials;
  }

  /** Measures the clock difference to the server, because votes are timestamped in server time. */
  private async measureSkew(turn: number): Promise<void> {
    const skewMs = await serverSkewMs(this.room);
    if (skewMs === undefined || turn !== this.turn || !this.isHere()) return;
    this.keep({ ...this.memory, skewMs });
    this.change({ skewMs });
  }

  /**
   * Forgets what arrived on the previous connection, and returns the topics to subscribe to: the room, this phone’s receipts,
   * the polls of undelivered votes, and the public result if it is being followed.
   */
  private enter(): string[] {
    const { device } = this.credentials;
    const polls = this.waiting.slice(0, MAX_SUBSCRIBED).map(({ poll }) => `poll/${poll}`);
    this.questions.clear();
    this.hasRoomArrived = false;
    return [...new Set([`room/${this.room}`, `receipt/${device}`, ...polls, ...this.followed.topics])];
  }

  private handleDisconnect(): void {
    this.receipt?.settle('');
    clearTimeout(this.emptyRoomTimer);
    this.change({ isUp: false });
  }

  private handleReady(): void {
    this.change({ isUp: true, isKnown: true });
    this.deliver();
    this.emptyRoomTimer = setTimeout(() => {
      if (!this.hasRoomArrived) this.show(undefined);
    }, RETAINED_LIMIT_MS);
  }

  private handleMessage(topic: string, text: string): void {
    const [what, about = ''] = topic.split('/');
    if (what === 'receipt') {
      const [, poll] = text.split(' ');
      if (this.receipt && this.receipt.poll === poll) this.receipt.settle(text);
      return;
    }
    const content = text === '' ? undefined : JSON.parse(text);
    if (what === 'room') this.show(content);
    else if (what === 'poll') this.questions.learn(about, content);
    else if (this.followed.topics.includes(topic)) this.change({ result: content });
  }

  /** Shows a new question, or the new state of the current one. */
  private show(question: Question | undefined): void {
    const before = this.now.question;
    this.hasRoomArrived = true;
    if (!this.isHere()) return;
    this.keep({ ...this.memory, last: question && { room: this.room, question } });
    if (question) this.questions.learn(question.poll, question);
    const isSame =
      question?.poll === before?.poll &&
      question?.round === before?.round &&
      // Who may see the result decides how it is followed.
      (question === undefined || isVoterOf(this.memory, question) === this.followed.isAsVoter);
    this.change({ question, isKnown: true, ...(isSame ? {} : { result: undefined }) });
    if (!isSame) this.followed.stop();
    if (question && this.followed.poll === undefined) this.follow(question);
    this.deliver();
  }

  private follow(question: Question): void {
    const { poll } = question;
    if (isVoterOf(this.memory, question)) this.followed.followAsVoter(poll, this.credentials);
    else this.followed.follow(poll, () => this.connection);
  }

  private get credentials(): Credentials {
    return this.memory.credentials as Credentials;
  }

  private get waiting(): OwnVote[] {
    return undelivered(this.memory, this.room);
  }

  private deliver(): void {
    this.delivering ??= this.deliverAll(this.turn).finally(() => {
      this.delivering = undefined;
      // A new turn may have begun in the meantime, with other votes to deliver.
      if (this.connection?.isUp && this.waiting.length > 0) this.deliver();
    });
  }

  /** Delivers one vote at a time, since a receipt names only the poll, not the vote. */
  private async deliverAll(turn: number): Promise<void> {
    for (;;) {
      const [vote] = this.waiting;
      const { connection } = this;
      if (!vote || !connection?.isUp || turn !== this.turn) return;
      const question = await this.questions.find(vote.poll, connection);
      if (turn !== this.turn) return;
      if (question && question.round !== vote.round) {
        // The vote is for a round that is over, and would be rejected.
        this.outcome(vote, 'rejected', 'closed');
        continue;
      }
      const payload = payloadOf(vote);
      if (payload === undefined) {
        this.outcome(vote, 'rejected', 'too-large');
        continue;
      }
      const isDone = connection.isUp && (await this.send(connection, vote, payload));
      if (turn !== this.turn) return;
      if (!isDone) await sleep(RETRY_MS);
    }
  }

  private async send(connection: VoterConnection, waiting: OwnVote, payload: string): Promise<boolean> {
    const vote = { ...waiting, device: this.credentials.device };
    const receipt = new Promise<string>((resolve) => {
      this.receipt = { poll: vote.poll, settle: resolve };
    });
    const { turn } = this;
    const sent = { ...vote, wasSent: true };
    this.outcome(sent, 'sent');
    const isAcknowledged = await connection.publish(`vote/${vote.poll}`, payload);
    if (turn !== this.turn) return false;
    if (!isAcknowledged) {
      this.outcome(sent, 'queued');
      return false;
    }
    const [word = '', , reason] = (await Promise.race([receipt, sleep(RECEIPT_LIMIT_MS).then(() => '')])).split(' ');
    if (turn !== this.turn) return false;
    this.receipt = undefined;
    if (word === 'accepted') this.outcome(vote, 'accepted');
    else if (word === 'recorded') this.outcome({ ...vote, isUndecided: true }, 'accepted');
    else if (word === 'rejected') this.outcome(vote, 'rejected', reason);
    return word !== '';
  }

  private outcome(vote: OwnVote, state: OwnVote['state'], reason?: string): void {
    if (!isExpected(this.memory, vote) || !this.isHere()) return;
    this.remember(withOutcome(vote, state, reason));
    const { question } = this.now;
    if (state !== 'accepted' || question?.poll !== vote.poll || question.visibility !== 'voted') return;
    this.followed.stop();
    if (vote.choice === WITHDRAW) this.change({ result: undefined });
    this.follow(question);
  }

  private remember(vote: OwnVote): void {
    this.keep(withVote(this.memory, vote));
    this.change({});
  }

  private keep(memory: Memory): void {
    this.memory = memory;
    keep(memory);
  }

  private change(what: Partial<BoothState>): void {
    const now = { ...this.now, ...what };
    const isOwn = ({ poll, round }: OwnVote) => poll === now.question?.poll && round === now.question?.round;
    this.now = { ...now, vote: this.memory.votes.find(isOwn) };
    this.onState(this.now);
  }
}
