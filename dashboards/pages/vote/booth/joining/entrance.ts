import type { Credentials } from '../memory.ts';
import { demandRoom, JoinRefused, joinAsGuest } from './guest.ts';

/** Why a room wants another join code. */
const CODE_PROBLEMS = ['join-code-needed', 'wrong-join-code', 'join-code-revoked'] as const;
export type JoinCodeProblem = (typeof CODE_PROBLEMS)[number];

/** Joins a room, with a join code if it asks for one: the one in the address, the last one, or one that somebody enters. */
export class Entrance {
  private readonly room: string;
  private readonly ask: (problem: JoinCodeProblem | undefined) => void;
  /** Called with the code that somebody enters, or with nothing when nobody waits for it any more. */
  private entered: ((code?: string) => void) | undefined;

  /** @param ask called when a code has to be entered, with the reason, and with nothing once the phone has joined */
  constructor(room: string, ask: (problem: JoinCodeProblem | undefined) => void) {
    this.room = room;
    this.ask = ask;
  }

  enterCode(code: string): void {
    this.entered?.(code);
  }

  /** Stops waiting for a code. */
  leave(): void {
    this.entered?.();
  }

  /** Resolves with undefined if this tab stopped waiting. @throws Error with the server’s reason for refusing */
  async join(last: string | undefined): Promise<{ credentials: Credentials; code: string | undefined } | undefined> {
    await demandRoom(this.room);
    const known = [...new Set([codeInAddress(), last])].filter((code) => code !== undefined);
    for (let code = known.shift(); ; ) {
      try {
        const credentials = await joinAsGuest(this.room, code);
        this.ask(undefined);
        return { credentials, code };
      } catch (error) {
        const problem = error instanceof JoinRefused && CODE_PROBLEMS.find((one) => one === error.code);
        if (!problem) throw error;
        code = known.shift();
        if (code !== undefined) continue;
        this.ask(problem);
        code = await new Promise<string | undefined>((resolve) => {
          this.entered = resolve;
        });
        if (code === undefined) return undefined;
      }
    }
  }
}

/** The join code in the address, from a QR code. The fragment of an address is not sent to servers, so it is in no log. */
function codeInAddress(): string | undefined {
  return new URLSearchParams(location.hash.slice(1)).get('code') ?? undefined;
}
