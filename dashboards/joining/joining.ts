import type { Counter } from 'prom-client';
import type { GuestCredentials } from '../../core/devices/guests/credential.ts';
import type { GuestBook } from '../../core/devices/guests/guest-book.ts';
import type { PollBook } from '../../core/live/poll-book.ts';
import type { Log } from '../../core/runtime/log.ts';
import { RareWarnings } from '../../core/runtime/rare-warnings.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import { JoinBudget } from './budget.ts';
import { Challenges, type Proof } from './challenges.ts';

/** What becomes of requests to join: values of the label `outcome`. */
export const JOIN_OUTCOMES = ['token', 'proof', 'asked', 'code', 'no-room'] as const;

/** A request to join a room. */
export interface JoinRequest {
  readonly room: string;
  readonly address: string;
  readonly code?: string | undefined;
  readonly proof?: Proof | undefined;
}

interface JoiningParts {
  readonly guests: GuestBook;
  readonly polls: PollBook;
  /** How many guests are expected from one address where the operator has not said so for the room. */
  readonly guestsPerAddress: number;
  readonly joins: Counter<'outcome'>;
  readonly log: Log;
}

/**
 * Lets phones join rooms. Everybody in a hall may share the address of its router with somebody who joins in a loop, so nobody is
 * turned away: once an address has used up its budget, each further phone has to compute a proof of work.
 */
export class Joining {
  private readonly parts: JoiningParts;
  private readonly budget = new JoinBudget();
  private readonly challenges: Challenges;
  private readonly warnings: RareWarnings;

  constructor(parts: JoiningParts) {
    this.parts = parts;
    this.challenges = new Challenges((text) => parts.guests.sign(text));
    this.warnings = new RareWarnings(parts.log.child({ part: 'guests' }));
  }

  /** A room exists if a poll names it, also one that was never opened, or if an operator has prepared it for guests. */
  hasRoom(room: string): boolean {
    const { guests, polls } = this.parts;
    return guests.room(room) !== undefined || polls.hasRoom(room);
  }

  /** @throws Refusal no-such-room */
  demandRoom(room: string): void {
    if (this.hasRoom(room)) return;
    throw new Refusal('no-such-room', `there is no room ${JSON.stringify(room)}; a room exists once a poll names it`);
  }

  /** @throws Refusal no-such-room, proof-needed, join-code-needed, wrong-join-code, join-code-revoked */
  async join(request: JoinRequest): Promise<GuestCredentials> {
    const { guests, joins } = this.parts;
    const { room, code } = request;
    if (!this.hasRoom(room)) joins.inc({ outcome: 'no-room' });
    this.demandRoom(room);
    try {
      // A phone that does not know yet that the room wants a code asks twice, and must not pay twice.
      await guests.demandCode(room, code);
      const outcome = await this.spend(request);
      const credentials = await guests.admit(room, code);
      joins.inc({ outcome });
      return credentials;
    } catch (error) {
      if (error instanceof Refusal && error.code !== 'proof-needed') joins.inc({ outcome: 'code' });
      throw error;
    }
  }

  /** Takes a token, or accepts a proof. Attempts with a wrong join code cost the same, so that none can be guessed. */
  private async spend({ room, address, proof }: JoinRequest): Promise<'token' | 'proof'> {
    const { guests, guestsPerAddress, joins } = this.parts;
    const { budget, challenges } = this;
    const size = guests.room(room)?.expected ?? guestsPerAddress;
    const isProven = proof !== undefined && (await challenges.accept(room, budget.debt(address, room, size), proof));
    const spent = budget.spend(address, room, size, isProven);
    if (spent !== undefined) return spent;
    joins.inc({ outcome: 'asked' });
    this.warnings.warn(
      'budget',
      { room, address, expected: size },
      'more guests join from one address than are expected there, so further ones have to compute a proof of work; if they are yours, say on the operator’s page how many you expect in this room',
    );
    const wait = budget.waitSeconds(address, room, size);
    const why = `${size} guests are expected from one address, and as many have joined; send a proof of work for the challenge (docs/POLLS.md), or try again in ${wait} s`;
    const challenge = await challenges.make(room, budget.debt(address, room, size));
    throw new Refusal('proof-needed', why, [], { challenge });
  }
}
