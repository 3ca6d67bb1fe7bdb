/** What an operator did, or was refused. Never contains a secret, a token or a vote. */
export interface AuditFact {
  /** The operator’s name; `root` for the token of the deployment, `screen` for a screen’s key, `stranger` for anybody else. */
  readonly who: string;
  /** The identity provider that has identified the person; the same subject is somebody else at another one. */
  readonly issuer?: string | undefined;
  readonly role: string | null;
  /** The action as `<subject>.<verb>`, such as `poll.open`; `path.unknown` for refusals at paths that the API does not have. */
  readonly action: string;
  /** What it was done to, such as `poll/q`; empty if nothing in particular. */
  readonly target: string;
  /** The client’s address. */
  readonly from: string;
  /**
   * `failed`: it was not begun; `unknown`: it was begun, and then an error or the end of the process cut it off, so that it may have
   * been done, in whole or in part.
   */
  readonly outcome: 'done' | 'refused' | 'failed' | 'unknown';
  /** Why it was refused, failed or cut off, as a word. */
  readonly code?: string | undefined;
  /** The poll’s round. */
  readonly round?: number | undefined;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  /**
   * The devices of an action for many, 200 at most: those to which it was done, and then those to which it may have been; if it was cut
   * off, all those to which it was to be done.
   */
  readonly devices?: readonly string[] | undefined;
  /** How many refusals before this one were left out, because there were too many. */
  readonly leftOut?: number | undefined;
}

/** A fact in the trail. Each record has the hash of the one before, so none can be changed or removed unnoticed. */
export interface AuditRecord extends AuditFact {
  /** Counts from 1, without gaps. */
  readonly number: number;
  /** In UTC, as ISO 8601. */
  readonly at: string;
  /** The hash of the record before; empty in the first. */
  readonly previous: string;
  /** The SHA-256 of this record’s JSON without this field, in hexadecimal. */
  readonly hash: string;
}
