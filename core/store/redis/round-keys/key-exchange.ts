import type { Redis } from 'ioredis';
import { every, pause } from '../../../waiting/pause.ts';
import { type RedisConnection, replyOf } from '../connection/connection.ts';
import { Recipient, sealFor } from './sealed-message.ts';

/** How long in ms to wait for an answer, and the interval at which the question is repeated, because messages may be lost. */
const ANSWER_LIMIT_MS = 1_000;
const ASK_EVERY_MS = 100;
/** Interval in ms at which keys are asked for that nobody had. */
const ASK_AGAIN_MS = 1_000;

interface ExchangeParts {
  readonly connection: RedisConnection;
  /** Used only for subscriptions. */
  readonly listening: RedisConnection;
  readonly channel: string;
  /** The key of this name, if this process has it. */
  readonly lookUp: (name: string) => string | undefined;
  /** Called with each key that this process has asked for. */
  readonly learn: (name: string, key: string) => void;
  /** Whether a key is of this name. */
  readonly isNamed: (key: string, name: string) => boolean;
}

/**
 * Processes ask each other for the keys of secret rounds. Messages go through publish/subscribe, which Redis never writes to disk,
 * and each answer can be opened only by the process that asked.
 */
export class KeyExchange {
  private readonly parts: ExchangeParts;
  private readonly recipient = new Recipient();
  /** What this process waits for, and what wakes those who wait. */
  private readonly asked = new Map<string, Set<() => void>>();
  private readonly halt = new AbortController();

  private constructor(parts: ExchangeParts) {
    this.parts = parts;
  }

  static async open(parts: ExchangeParts): Promise<KeyExchange> {
    const exchange = new KeyExchange(parts);
    const listening = parts.listening as Redis;
    listening.on('message', (channel, text: string) => {
      if (channel === parts.channel && !exchange.halt.signal.aborted) exchange.hear(text);
    });
    await listening.subscribe(parts.channel);
    every(ASK_AGAIN_MS, exchange.halt.signal, () => {
      for (const name of exchange.asked.keys()) exchange.send(exchange.question(name));
    });
    return exchange;
  }

  close(): void {
    this.halt.abort();
    for (const waiting of this.asked.values()) for (const wake of waiting) wake();
  }

  /** Asks all processes for a key. Resolves once it is known, or nobody has answered for a while; asking goes on then. */
  async ask(name: string): Promise<void> {
    const waiting = this.asked.get(name) ?? new Set();
    this.asked.set(name, waiting);
    let resolve = () => {};
    const answered = new Promise<void>((wake) => {
      resolve = wake;
    });
    waiting.add(resolve);
    const endMs = performance.now() + ANSWER_LIMIT_MS;
    while (waiting.has(resolve) && performance.now() < endMs && !this.halt.signal.aborted) {
      this.send(this.question(name));
      await Promise.race([answered, pause(ASK_EVERY_MS, this.halt.signal)]);
    }
    waiting.delete(resolve);
  }

  /** Whether a key has been asked for in vain, and still is. */
  isAsking(name: string): boolean {
    return this.asked.get(name)?.size === 0;
  }

  /** Stops asking for a key. */
  forget(name: string): void {
    this.asked.delete(name);
  }

  private hear(text: string): void {
    const [is, name = '', address = '', message = ''] = text.split(' ');
    if (is === 'ask') {
      const key = this.parts.lookUp(name);
      if (key !== undefined && address !== this.recipient.address) this.answer(name, key, address);
    } else if (is === 'give' && address === this.recipient.address) this.receive(name, message);
  }

  private answer(name: string, key: string, address: string): void {
    try {
      this.send(`give ${name} ${address} ${sealFor(address, key, name)}`);
    } catch {
      // Not the address of a process.
    }
  }

  private receive(name: string, message: string): void {
    const waiting = this.asked.get(name);
    const key = waiting && this.recipient.open(message, name);
    if (!waiting || key === undefined || !this.parts.isNamed(key, name)) return;
    this.asked.delete(name);
    this.parts.learn(name, key);
    for (const wake of waiting) wake();
    waiting.clear();
  }

  private question(name: string): string {
    return `ask ${name} ${this.recipient.address}`;
  }

  /** A message that is lost is followed by another question. */
  private send(message: string): void {
    const { connection, channel } = this.parts;
    replyOf(connection.publish(channel, message)).catch(() => {});
  }
}
