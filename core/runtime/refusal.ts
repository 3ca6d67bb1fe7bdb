/** Why a request is refused. Clients may rely on these codes; the API maps each to an HTTP status. */
export type RefusalCode =
  | 'already-withdrawn'
  | 'bad-definition'
  | 'bad-devices'
  | 'bad-guest-room'
  | 'bad-lot'
  | 'bad-nickname'
  | 'bad-operator'
  | 'bad-room'
  | 'bad-table'
  | 'busy'
  | 'device-exists'
  | 'edit-conflict'
  | 'devices-changed'
  | 'figures-hidden'
  | 'foreign-page'
  | 'invalid-request'
  | 'join-code-needed'
  | 'join-code-revoked'
  | 'key-destroyed'
  | 'log-removed'
  | 'mandate-twice'
  | 'no-copy'
  | 'no-quiz'
  | 'no-rehearsals'
  | 'no-role'
  | 'no-session'
  | 'no-sign-in'
  | 'newer-entry'
  | 'nickname-blocked'
  | 'nickname-taken'
  | 'no-series'
  | 'no-such-device'
  | 'no-such-guest'
  | 'no-such-operator'
  | 'no-such-option'
  | 'no-such-poll'
  | 'no-such-room'
  | 'no-such-round'
  | 'not-allowed'
  | 'not-final'
  | 'not-named'
  | 'nothing-to-draw'
  | 'not-opened'
  | 'open-door'
  | 'operator-exists'
  | 'operators-only'
  | 'pipelined'
  | 'poll-exists'
  | 'poll-was-opened'
  | 'proof-needed'
  | 'provider-away'
  | 'pseudonyms'
  | 'rehearsal-under-way'
  | 'room-taken'
  | 'secret-poll'
  | 'series-away'
  | 'sign-in-refused'
  | 'sign-in-unknown'
  | 'still-closing'
  | 'still-opening'
  | 'stopping'
  | 'too-many-guesses'
  | 'too-many-interruptions'
  | 'too-many-nicknames'
  | 'too-many-operators'
  | 'too-many-polls'
  | 'too-many-revoked'
  | 'too-many-requests'
  | 'too-many-streams'
  | 'too-many-viewers'
  | 'wrong-code'
  | 'wrong-credentials'
  | 'wrong-join-code'
  | 'wrong-status'
  | 'wrong-token';

/** An expected failure: the request cannot be fulfilled. The message says why and, where that helps, what to do instead. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  /** The individual problems, if the message summarises them. */
  readonly problems: readonly string[];
  /** What a program needs to try again, as members of the problem details. */
  readonly more: Readonly<Record<string, string>>;

  constructor(
    code: RefusalCode,
    why: string,
    problems: readonly string[] = [],
    more: Readonly<Record<string, string>> = {},
  ) {
    super(why);
    this.code = code;
    this.problems = problems;
    this.more = more;
  }
}

/** A refusal because the caller asked for too much; `waitMs` says when it may ask again. */
export class TooMany extends Refusal {
  readonly waitMs: number;

  constructor(code: RefusalCode, why: string, waitMs: number) {
    super(code, why);
    this.waitMs = waitMs;
  }
}
