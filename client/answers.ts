/** The API’s response types. The API’s routes and its clients share them, so that the two cannot diverge. */

import type { AuditRecord } from '../core/audit/trail/fact.ts';
import type { Person, Role } from '../core/operators/operator.ts';
import type { Accounting } from '../core/voting/count/accounting.ts';
import type { Definition, Draft, KindName } from '../core/voting/kinds/definition.ts';
import type { Status } from '../core/voting/poll/poll.ts';
import type { InterruptionAnswer, OpenResult, Result } from '../core/voting/result/result.ts';
import type { Roll } from '../core/voting/rules/roll.ts';

export type * from './device-answers.ts';
export type { AuditRecord, Definition, Draft, KindName, OpenResult, Result, Role };

/** A poll and its state. Times are in UTC, as ISO 8601. */
export type PollAnswer<Name extends KindName = KindName> = Definition<Name> & {
  readonly status: Status;
  readonly round: number;
  readonly createdAt: string;
  readonly openedAt: string | null;
  readonly closingAt: string | null;
  readonly stoppedAt: string | null;
  readonly closedAt: string | null;
  /** The rounds whose results are kept, oldest first, with the current one. */
  readonly rounds: readonly RoundAnswer[];
  /** Set while the presenter hides the figures from everybody but operators. */
  readonly curtain?: true | undefined;
  /** The version of its settings, for `basedOn` when they are changed; for operators only. */
  readonly version?: number;
  /** When the round was closed and then continued, oldest first; only if it was. */
  readonly interruptions?: readonly InterruptionAnswer[];
  /** This field and the ones below are for operators only. */
  readonly electorate?: Roll | undefined;
  readonly presentAtOpen?: Roll | undefined;
  readonly presentAtClose?: Roll | undefined;
  /** The definition as its author wrote it, without the defaults of its kind; only while the poll is a draft. */
  readonly draft?: Draft | undefined;
  /** The key with which a screen may hide and show the poll’s figures. */
  readonly screenKey?: string | undefined;
};

/** A round of a poll. Times are in UTC, as ISO 8601. */
export interface RoundAnswer {
  readonly round: number;
  readonly openedAt: string | null;
  readonly closedAt: string | null;
}

/** A guest that has a nickname, or is blocked from setting one. */
export interface GuestAnswer {
  readonly guest: string;
  readonly nickname: string | null;
  /** True if an operator has blocked the guest from setting a nickname. */
  readonly blocked: boolean;
}

/** The outcome of a recount. */
export interface RecountAnswer {
  readonly poll: string;
  readonly round: number;
  /** Whether the count is right. The time series is not part of the count. */
  readonly agrees: boolean;
  readonly isBalanced: boolean;
  readonly compared: readonly string[];
  /** Differences from the count; those of the time series, which may only be behind, begin with `time series`. */
  readonly differences: readonly string[];
  readonly accounting: Accounting;
  readonly interruptions?: readonly InterruptionAnswer[];
  /** How many entries of the log could not be read while votes counted; only if any. */
  readonly missing?: number;
  /** Absent for secret polls. */
  readonly tally?: Readonly<Record<string, number>>;
}

/** A voter who may answer, and whether they have answered, but not what they answered. */
export interface ResponseLine {
  readonly voter: string;
  /** The registered device that casts the vote. */
  readonly device: string;
  /** What people call the voter; for a mandate, its carrier’s label with the mandate in brackets. */
  readonly label: string | null;
  /** Set if the device votes on behalf of somebody else. */
  readonly mandate?: string | undefined;
  readonly group: string | null;
  readonly answered: boolean;
}

export interface ResponsesAnswer {
  readonly poll: string;
  readonly round: number;
  readonly responses: readonly ResponseLine[];
  /** The number of other voters who have answered. */
  readonly others: number;
  /** Those of the others who have a nickname. */
  readonly guests: readonly { readonly voter: string; readonly nickname: string }[];
  /** While the round is open: how many counted entries could not be read, so that voters who have answered may be missing; only if any. */
  readonly missing?: number;
}

/** An entry of the vote log that could not be read, and was set aside. Not its content, which may be votes. */
export interface DeadEntryAnswer {
  readonly partition: number;
  readonly offset: string;
  /** What is wrong with it. */
  readonly why: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The rounds in which votes counted at this place of the log, as `<poll>/<round>`: they may lack votes. */
  readonly rounds: readonly string[];
  readonly foundAt: string;
  /** True if it could be read when it was counted, and was damaged before its ballots were stored. */
  readonly wasCounted?: boolean;
}

/** A named operator. Times are in UTC, as ISO 8601. */
export interface OperatorAnswer {
  readonly operator: string;
  readonly role: Role;
  /** The rooms to which the role is limited; null for all. */
  readonly rooms: readonly string[] | null;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  /** True once the token no longer works. */
  readonly expired: boolean;
  /** Whose session it is, if an identity provider has signed the operator in. */
  readonly person: Person | null;
}

/** A new operator, with the token, which is shown only once. */
export interface NewOperatorAnswer extends OperatorAnswer {
  readonly token: string;
}

/** How operators can sign in, other than with a token. */
export interface SignInWaysAnswer {
  /** The identity provider’s name, and the public address of Pollcast, where sign-ins begin; null if there is no provider. */
  readonly provider: { readonly name: string; readonly address: string } | null;
}

/** A sign-in that has begun. */
export interface SignInAnswer {
  /** The address at the identity provider to which the browser goes. */
  readonly address: string;
}

/** A session that has begun, with its token, which is shown only once. */
export interface SessionAnswer {
  readonly token: string;
  /** The part of the operator’s page to return to, such as `#/polls/q`; empty for its beginning. */
  readonly returnTo: string;
  readonly expiresAt: string;
}

/** Records of the audit trail, newest first. */
export interface TrailAnswer {
  readonly records: readonly AuditRecord[];
  /** For `before`, to read older records; null if there are none. */
  readonly next: number | null;
}

/** Whether the hashes of all kept records fit. */
export interface TrailCheckAnswer {
  readonly intact: boolean;
  readonly problems: readonly string[];
  readonly records: number;
  /** The last record’s number and hash. */
  readonly end: { readonly number: number; readonly hash: string };
}

/** What this deployment supports. */
export interface DeploymentAnswer {
  readonly door: 'open' | 'devices';
  readonly publicUrl: string | null;
  readonly rehearsals: boolean;
  readonly now: string;
  /** Who asks. */
  readonly operator: {
    readonly name: string;
    readonly role: Role;
    readonly rooms: readonly string[] | null;
    /** Whether the token belongs to a session, which ends by signing out. */
    readonly session: boolean;
    /** The actions that the role allows, such as `poll.open`. */
    readonly may: readonly string[];
  };
}

/** The current rehearsal, or the outcome of the last one. */
export interface RehearsalAnswer {
  /** The poll in which the simulated devices vote. It is a copy of the poll `of`. */
  readonly poll: string;
  readonly of: string;
  readonly phase: 'starting' | 'connecting' | 'voting' | 'counting' | 'passed' | 'failed';
  readonly done: number;
  readonly total: number;
  readonly report?: RehearsalReport | undefined;
  /** Why there is no report. */
  readonly error?: string | undefined;
}

/** What the simulated devices measured, and how the count compares with their votes. */
export interface RehearsalReport {
  readonly acknowledged: number;
  readonly verdict: {
    readonly lost: number;
    readonly wrong: number;
    readonly doubled: number;
    readonly compared: number;
  };
  /** Latencies in ms. */
  readonly ack: { readonly p99: number };
  readonly screen: { readonly p99: number };
}

/** How votes arrived over a round. */
export interface TimelineAnswer {
  readonly poll: string;
  readonly round: number;
  readonly stepMs: number;
  readonly points: readonly {
    /** The end of the step, in UTC. */
    readonly at: string;
    /** Votes received since the round opened. */
    readonly votes: number;
    /** Ballots that counted, by option. */
    readonly ballots: Readonly<Record<string, number>>;
  }[];
}

/** What a phone needs in order to vote. */
export interface JoinAnswer {
  readonly device: string;
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  /** The path of MQTT over WebSocket. */
  readonly webSocket: string;
  readonly topics: { readonly vote: string; readonly room: string; readonly receipts: string };
  /** When the credentials expire, in UTC. */
  readonly expiresAt: string;
}

/** How guests get into a room. */
export interface RoomGuestsAnswer {
  readonly room: string;
  readonly joinBy: 'anyone' | 'code' | 'codes';
  /** The room’s code, whether it is asked for or not. */
  readonly code: string | null;
  /** How many guests are expected from one address; null: as many as POLLCAST_GUESTS_PER_ADDRESS says. */
  readonly expected: number | null;
  /** When all guests of the room were last revoked. */
  readonly since: string | null;
}

/** Codes for single guests. */
export interface JoinCodesAnswer {
  readonly room: string;
  readonly codes: readonly {
    readonly number: number;
    readonly code: string;
    /** The address of the phone page with the code; null if POLLCAST_PUBLIC_URL is not set. */
    readonly url: string | null;
  }[];
}

/** A room, its current poll, and how one gets in. */
export interface RoomAnswer {
  readonly room: string;
  readonly poll: string | null;
  readonly joinUrl: string | null;
  /** False while no poll names the room and no operator has prepared it, so that nobody can join. */
  readonly exists: boolean;
  /** The code that phones ask for; only for operators and for screens with the room’s key. */
  readonly joinCode?: string | undefined;
}
