import type { Result } from '../../../core/voting/result.ts';
import type { Question } from '../ballot/form.ts';
import { Connection } from './connection.ts';
import { type Credentials, keep, type Memory, type OwnVote, recall, undelivered, withVote } from './memory.ts';
import { Tabs } from './tabs.ts';
import { followAsVoter } from './voter-result.ts';

/** How long a receipt may take after the acknowledgement before the vote is sent once more, ms. */
const RECEIPT_LIMIT_MS = 3_000;
/** How long it is waited to hear of a poll before a vote for it is sent regardless, ms. */
const QUESTION_LIMIT_MS = 3_000;
/** The pause before a vote that could not be sent is tried again, ms. */
const RETRY_MS = 1_000;
/** What is retained for the room comes so soon after the subscription, or there is nothing, ms. */
const TOLD_LIMIT_MS = 4_000;
/** A clock that differs by no more than this is taken to be right, ms. */
const SKEW_MS = 2_000;
/** A vote that is longer is refused by the broker, and one that is much longer cuts the line, bytes. */
const MAX_VOTE_BYTES = 1_024;
/** The server must answer a request by then, ms. */
const ANSWER_LIMIT_MS = 10_000;
/** Takes a ballot back. */
const WITHDRAWN = '-';
/** Polls of undelivered votes that are asked about at once. */
const MAX_ASKED = 10;

export interface BoothState {
  readonly phase: 'joining' | 'voting' | 'elsewhere';
  /** joining: why it does not succeed. */
  readonly problem?: string | undefined;
  readonly isUp: boolean;
  /** Whether the room has told what is asked, at least once. */
  readonly isTold: boolean;
  readonly question: Question | undefined;
  /** This phone's vote in the question's round. */
  readonly vote: OwnVote | undefined;
  /** The result, as far as this phone may see it. */
  readonly result: Result | undefined;
  /** How far the server's clock is ahead of this one, ms. */
  readonly skewMs: number;
}

const NOTHING = { isUp: false, isTold: false, question: undefined, vote: undefined, result: undefined, skewMs: 0 };

/**
 * A phone in a room: joins as a guest, keeps its votes until each was delivered once, and tells what became of them. A vote is
 * `queued`, then `sent`, then `accepted` or `rejected` by the receipt; until then it is sent again, under its number, which
 * makes a redelivery harmless, and for its round, so that it counts in no other.
 */
export class Booth {
  private readonly room: string;
  private readonly onState: (state: BoothState) => void;
  private readonly tabs = new Tabs(() => this.leave());
  private memory: Memory = recall();
  private connection: Connection | undefined;
  private now: BoothState = { phase: 'joining', ...NOTHING };
  /** Rises whenever this tab begins or gives up: what was waited for before is nobody's any more. */
  private turn = 0;
  /** Whether the room was told of on this connection. */
  private isRoomTold = false;
  private emptyRoom: ReturnType<typeof setTimeout> | undefined;
  /** What was told of polls on this connection, by poll. */
  private readonly questions = new Map<string, Question>();
  private followed: { readonly poll: string; readonly stop: () => void } | undefined;
  private delivering: Promise<void> | undefined;
  private receipt: { readonly poll: string; readonly settle: (receipt: string) => void } | undefined;

  constructor(room: string, onState: (state: BoothState) => void) {
    this.room = room;
    this.onState = onState;
  }

  /** Enters the room; again, when another tab had taken over. */
  async start(): Promise<void> {
    const turn = ++this.turn;
    this.connection?.stop();
    this.tabs.take();
    this.memory = recall();
    this.change({ phase: 'joining', skewMs: this.memory.skewMs ?? 0 });
    const credentials = this.memory.credentials ?? (await this.join(turn));
    if (!credentials || turn !== this.turn) return;
    const { asked } = this.memory;
    const known = asked?.room === this.room ? { question: asked.question, isTold: true } : {};
    this.change({ phase: 'voting', problem: undefined, ...known });
    void this.learnClock(turn);
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.connection = new Connection(`${scheme}://${location.host}/mqtt`, credentials, {
      onUp: () => this.enter(),
      onDown: () => this.lose(),
      onReady: () => this.settle(),
      onMessage: (topic, text) => this.hear(topic, text),
      onRefused: () => this.ask(turn),
    });
    this.connection.start();
  }

  /** Casts a vote in the current question. Whatever the line does, it is kept until it was delivered. */
  cast(choice: string): void {
    const { question, skewMs } = this.now;
    if (!question || !this.isHere()) return;
    const { poll, round } = question;
    this.remember({ poll, round, choice, n: this.memory.n + 1, t: Math.round(Date.now() + skewMs), state: 'queued' });
    this.deliver();
  }

  /** Another tab votes now. */
  private leave(): void {
    if (this.now.phase === 'elsewhere') return;
    this.turn++;
    this.connection?.stop();
    this.connection = undefined;
    this.receipt?.settle('');
    clearTimeout(this.emptyRoom);
    this.unfollow();
    this.change({ phase: 'elsewhere', isUp: false });
  }

  /** Whether this tab still votes. One that finds out that it does not gives up. */
  private isHere(): boolean {
    if (this.now.phase === 'elsewhere') return false;
    if (this.tabs.isOurs()) return true;
    this.leave();
    return false;
  }

  /** Joins as a guest, however often it takes. */
  private async join(turn: number): Promise<Credentials | undefined> {
    for (let retryMs = RETRY_MS; turn === this.turn; retryMs = Math.min(2 * retryMs, 10 * RETRY_MS)) {
      try {
        return await this.ask(turn);
      } catch (error) {
        if (turn === this.turn) this.change({ problem: (error as Error).message });
      }
      await pause(retryMs * (1 + Math.random()));
    }
    return undefined;
  }

  /** Asks for credentials. @throws Error that says why there are none */
  private async ask(turn: number): Promise<Credentials | undefined> {
    const response = await fetch(`/api/rooms/${encodeURIComponent(this.room)}/join`, {
      method: 'POST',
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    if (!response.ok) {
      const problem = await response.json().catch(() => ({}));
      throw new Error(problem.detail ?? response.statusText);
    }
    const { device, password } = await response.json();
    if (turn !== this.turn || !this.isHere()) return undefined;
    this.keep({ ...this.memory, credentials: { device, password } });
    return { device, password };
  }

  /** Compares this clock with the server's: presses are told by the server's. */
  private async learnClock(turn: number): Promise<void> {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const response = await fetch(`/api/rooms/${encodeURIComponent(this.room)}`, { signal }).catch(() => undefined);
    const difference = Date.parse(response?.headers.get('date') ?? '') + 500 - Date.now();
    if (Number.isNaN(difference) || turn !== this.turn || !this.isHere()) return;
    const skewMs = Math.abs(difference) > SKEW_MS ? difference : 0;
    this.keep({ ...this.memory, skewMs });
    this.change({ skewMs });
  }

  /** What is subscribed to: the room, this phone's receipts, and the polls that votes are still for. */
  private enter(): string[] {
    const { device } = this.memory.credentials as Credentials;
    const waiting = undelivered(this.memory).map(({ poll }) => `poll/${poll}`);
    const own = this.followed ? [`result/${this.followed.poll}`] : [];
    this.questions.clear();
    this.isRoomTold = false;
    return [...new Set([`room/${this.room}`, `receipt/${device}`, ...waiting.slice(0, MAX_ASKED), ...own])];
  }

  private lose(): void {
    this.receipt?.settle('');
    clearTimeout(this.emptyRoom);
    this.change({ isUp: false });
  }

  private settle(): void {
    this.change({ isUp: true, isTold: true });
    this.deliver();
    this.emptyRoom = setTimeout(() => {
      if (!this.isRoomTold) this.show(undefined);
    }, TOLD_LIMIT_MS);
  }

  private hear(topic: string, text: string): void {
    const [what, about = ''] = topic.split('/');
    if (what === 'receipt') {
      const [, poll] = text.split(' ');
      if (this.receipt && this.receipt.poll === poll) this.receipt.settle(text);
      return;
    }
    const told = text === '' ? undefined : JSON.parse(text);
    if (what === 'room') this.show(told);
    else if (what === 'poll') this.learn(about, told);
    else if (what === 'result' && this.now.question?.poll === about) this.change({ result: told });
  }

  private learn(poll: string, question: Question | undefined): void {
    if (question) this.questions.set(poll, question);
    else this.questions.delete(poll);
  }

  /** Another question is current in the room, or it moved. */
  private show(question: Question | undefined): void {
    const before = this.now.question;
    this.isRoomTold = true;
    if (!this.isHere()) return;
    this.keep({ ...this.memory, asked: question && { room: this.room, question } });
    if (question) this.learn(question.poll, question);
    const isSame = question?.poll === before?.poll && question?.round === before?.round;
    this.change({ question, isTold: true, ...(isSame ? {} : { result: undefined }) });
    if (!isSame) this.unfollow();
    if (question && !this.followed) this.follow(question);
    this.deliver();
  }

  /** Results that everybody may see come by MQTT; those for whoever has voted are asked for as that voter. */
  private follow(question: Question): void {
    const { poll, round, visibility } = question;
    const own = this.memory.votes.find((vote) => vote.poll === poll && vote.round === round);
    if (visibility === 'voted' && own?.state === 'accepted' && own.choice !== WITHDRAWN) {
      const credentials = this.memory.credentials as Credentials;
      this.followed = { poll, stop: followAsVoter(poll, credentials, (result) => this.change({ result })) };
      return;
    }
    const topics = [`result/${poll}`];
    this.followed = { poll, stop: () => this.connection?.unsubscribe(topics) };
    void this.connection?.subscribe(topics);
  }

  private unfollow(): void {
    this.followed?.stop();
    this.followed = undefined;
  }

  private deliver(): void {
    this.delivering ??= this.deliverAll(this.turn).finally(() => {
      this.delivering = undefined;
      // Another turn began meanwhile, with votes of its own.
      if (this.connection?.isUp && undelivered(this.memory).length > 0) this.deliver();
    });
  }

  /** One vote after the other: a receipt names the poll only. */
  private async deliverAll(turn: number): Promise<void> {
    for (;;) {
      const [vote] = undelivered(this.memory);
      const { connection } = this;
      if (!vote || !connection?.isUp || turn !== this.turn) return;
      const question = await this.questionOf(connection, vote.poll);
      if (turn !== this.turn) return;
      if (question && question.round !== vote.round) {
        // It would be refused: it is for a round that is over.
        this.outcome(vote, 'rejected', 'closed');
        continue;
      }
      if (payloadOf(vote).length > MAX_VOTE_BYTES) {
        this.outcome(vote, 'rejected', 'too-large');
        continue;
      }
      const isDone = connection.isUp && (await this.send(connection, vote));
      if (turn !== this.turn) return;
      if (!isDone) await pause(RETRY_MS);
    }
  }

  private async send(connection: Connection, vote: OwnVote): Promise<boolean> {
    const receipt = new Promise<string>((resolve) => {
      this.receipt = { poll: vote.poll, settle: resolve };
    });
    const { turn } = this;
    const sent = { ...vote, wasSent: true };
    this.outcome(sent, 'sent');
    const isAcknowledged = await connection.publish(`vote/${vote.poll}`, payloadOf(vote));
    if (turn !== this.turn) return false;
    if (!isAcknowledged) {
      this.outcome(sent, 'queued');
      return false;
    }
    const [word = '', , reason] = (await Promise.race([receipt, pause(RECEIPT_LIMIT_MS).then(() => '')])).split(' ');
    if (turn !== this.turn) return false;
    this.receipt = undefined;
    if (word === 'accepted') this.outcome(vote, 'accepted');
    else if (word === 'rejected') this.outcome(vote, 'rejected', reason);
    return word !== '';
  }

  /** What is asked in a poll; undefined when nothing was told of it in time. */
  private async questionOf(connection: Connection, poll: string): Promise<Question | undefined> {
    const endMs = Date.now() + QUESTION_LIMIT_MS;
    if (this.questions.has(poll)) return this.questions.get(poll);
    const topics = [`poll/${poll}`];
    await connection.subscribe(topics);
    while (!this.questions.has(poll) && Date.now() < endMs && connection.isUp) await pause(50);
    connection.unsubscribe(topics);
    return this.questions.get(poll);
  }

  private outcome(vote: OwnVote, state: OwnVote['state'], reason?: string): void {
    const current = this.memory.votes.find(({ poll }) => poll === vote.poll);
    // A newer vote took its place while it was on its way.
    if (current?.n !== vote.n || !this.isHere()) return;
    const { reason: _, ...plain } = vote;
    // It may have been counted when it was sent the first time, before voting closed; nobody tells.
    const isUnclear = state === 'rejected' && vote.wasSent === true && (reason === 'closed' || reason === 'not-open');
    this.remember({ ...plain, state: isUnclear ? 'unclear' : state, ...(reason === undefined ? {} : { reason }) });
    const { question } = this.now;
    if (state !== 'accepted' || question?.poll !== vote.poll || question.visibility !== 'voted') return;
    this.unfollow();
    if (vote.choice === WITHDRAWN) this.change({ result: undefined });
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
    this.now = { ...this.now, ...what };
    const { question } = this.now;
    const vote = this.memory.votes.find(({ poll, round }) => poll === question?.poll && round === question?.round);
    this.now = { ...this.now, vote };
    this.onState(this.now);
  }
}

/** A vote as it is sent; as ASCII, so that its length is its bytes. */
function payloadOf({ choice, n, t, round }: OwnVote): string {
  const text = JSON.stringify({ c: choice, n, t, r: round });
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
