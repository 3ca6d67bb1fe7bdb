import type { Caller } from '../../../core/operators/operator.ts';
import type { OperatorRegister } from '../../../core/operators/register.ts';
import type { Log } from '../../../core/runtime/log.ts';
import { RareWarnings } from '../../../core/runtime/rare-warnings.ts';
import { every } from '../../../core/waiting/pause.ts';

/** Interval in ms between looks whether the operators who have streams may still have them. */
const CHECK_EVERY_MS = 250;

/** What can be closed, and says when it is. */
export interface Line {
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * The streams of named operators. Each of these operators is read from the store several times a second: a notice could be lost,
 * and a token that expires causes none. So their streams end soon after a token is revoked, also if the name is used again.
 */
export class OperatorStreams {
  private readonly register: OperatorRegister;
  private readonly warnings: RareWarnings;
  /** By token, of which the hash is known. */
  private readonly open = new Map<string, { readonly caller: Caller; readonly lines: Set<Line> }>();
  private readonly halt = new AbortController();
  private checking: Promise<void> | undefined;

  constructor(register: OperatorRegister, log: Log) {
    this.register = register;
    this.warnings = new RareWarnings(log);
    every(CHECK_EVERY_MS, this.halt.signal, () => void this.check());
  }

  /** Ends the stream once its operator’s token stops working. */
  follow(caller: Caller | undefined, line: Line): void {
    const { credential } = caller ?? {};
    if (caller === undefined || credential === undefined) return;
    const kept = this.open.get(credential) ?? { caller, lines: new Set() };
    this.open.set(credential, kept);
    kept.lines.add(line);
    line.once('close', () => {
      kept.lines.delete(line);
      if (kept.lines.size === 0 && this.open.get(credential) === kept) this.open.delete(credential);
    });
  }

  async close(): Promise<void> {
    this.halt.abort();
    await this.checking;
  }

  /** One at a time, so that a slow store is not asked again and again. */
  private check(): Promise<void> {
    this.checking ??= this.checkAll().finally(() => {
      this.checking = undefined;
    });
    return this.checking;
  }

  private async checkAll(): Promise<void> {
    const all = [...this.open.values()].map(async ({ caller, lines }) => {
      try {
        if (await this.register.isCurrent(caller)) return;
        for (const line of lines) line.destroy();
      } catch (error) {
        this.warnings.warn('streams', { err: error }, 'could not check the operators of open streams; trying again');
      }
    });
    await Promise.all(all);
  }
}
