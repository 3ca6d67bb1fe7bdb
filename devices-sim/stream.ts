import { get, type IncomingMessage } from 'node:http';
import type { Api } from './api.ts';

const RECONNECT_MS = 500;

/** Watches a poll's result stream as one viewer does, and notes when how many votes were to be seen. */
export class StreamWatch {
  private readonly api: Api;
  private readonly poll: string;
  private readonly onVotes: (votes: number, atMs: number) => void;
  private response: IncomingMessage | undefined;
  private isStopped = false;
  /** Events seen, by name. */
  readonly events = new Map<string, number>();

  /** @param onVotes called with each new number of votes received, at `performance.now()` */
  constructor(api: Api, poll: string, onVotes: (votes: number, atMs: number) => void) {
    this.api = api;
    this.poll = poll;
    this.onVotes = onVotes;
  }

  start(): void {
    const url = `${this.api.base}/api/polls/${this.poll}/stream`;
    const request = get(url, { headers: this.api.headers }, (response) => this.read(response));
    request.on('error', () => this.again());
  }

  stop(): void {
    this.isStopped = true;
    this.response?.destroy();
  }

  private read(response: IncomingMessage): void {
    this.response = response;
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      const frames = (rest + text).split('\n\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) this.take(frame);
    });
    response.on('error', () => {});
    response.on('close', () => this.again());
  }

  private take(frame: string): void {
    const event = /^event: (.*)$/m.exec(frame)?.[1];
    const data = /^data: (.*)$/m.exec(frame)?.[1];
    if (event === undefined || data === undefined) return;
    this.events.set(event, (this.events.get(event) ?? 0) + 1);
    const { votes } = JSON.parse(data) as { votes?: number };
    if (votes !== undefined) this.onVotes(votes, performance.now());
  }

  private again(): void {
    if (!this.isStopped) setTimeout(() => !this.isStopped && this.start(), RECONNECT_MS).unref();
  }
}
