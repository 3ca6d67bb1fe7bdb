import type {
  ClaimsAnswer,
  DeadEntryAnswer,
  DeploymentAnswer,
  DeviceAnswer,
  Draft,
  GuestAnswer,
  ImportAnswer,
  JoinCodesAnswer,
  NewOperatorAnswer,
  OperatorAnswer,
  PollAnswer,
  RecountAnswer,
  RegisteredDevice,
  RehearsalAnswer,
  RenewedSecret,
  RenewedSecrets,
  ResponsesAnswer,
  Result,
  RevokedAnswer,
  RoomGuestsAnswer,
  SessionAnswer,
  SignInAnswer,
  SignInWaysAnswer,
  TraceAnswer,
  TrailAnswer,
  TrailCheckAnswer,
  WithdrawnClaims,
} from './answers.ts';
import { Requests } from './requests.ts';

export { ApiError } from './requests.ts';

/** A client for Pollcast’s HTTP API. Calls reject with an `ApiError` if the API refuses them or does not answer. */
export class ApiClient extends Requests {
  deployment(): Promise<DeploymentAnswer> {
    return this.json('GET', '/api/operator');
  }

  signInWays(): Promise<SignInWaysAnswer> {
    return this.json('GET', '/api/sign-in');
  }

  /** Begins a sign-in at the identity provider. @param returnTo the part of the page to return to, such as `#/polls/q` */
  beginSignIn(returnTo: string): Promise<SignInAnswer> {
    return this.json('POST', '/api/sign-in', { returnTo });
  }

  /** Completes a sign-in. @param query the query with which the provider sent the browser back */
  completeSignIn(query: string): Promise<SessionAnswer> {
    return this.json('POST', '/api/sign-in/complete', { query });
  }

  /** Ends the session whose token this client has. */
  async endSession(): Promise<void> {
    await this.remove('/api/session');
  }

  async polls(): Promise<readonly PollAnswer[]> {
    return (await this.json<{ polls: PollAnswer[] }>('GET', '/api/polls')).polls;
  }

  poll(poll: string): Promise<PollAnswer> {
    return this.json('GET', pollPath(poll));
  }

  createPoll(draft: Draft): Promise<PollAnswer> {
    return this.json('POST', '/api/polls', draft);
  }

  /**
   * Changes a draft, or the mutable settings of any poll. Null removes a setting.
   *
   * @param basedOn the `version` of the poll that the changes are based on. If its settings have been changed since, the API
   *   refuses the changes (409 `edit-conflict`), and `problems` lists the changed settings with their new values.
   */
  changePoll(poll: string, changes: Readonly<Record<string, unknown>>, basedOn?: number): Promise<PollAnswer> {
    return this.json('PATCH', pollPath(poll), basedOn === undefined ? changes : { ...changes, basedOn });
  }

  async deletePoll(poll: string): Promise<void> {
    await this.remove(pollPath(poll));
  }

  /** Enters a lot that was drawn between the undecided options of a final round. @param order the keys in the order drawn */
  enterLot(poll: string, order: readonly string[]): Promise<PollAnswer> {
    return this.json('POST', pollPath(poll, 'draws'), { order });
  }

  /** Withdraws an option of a final round: it keeps its figures, but cannot win. */
  withdrawOption(poll: string, option: string): Promise<PollAnswer> {
    return this.json('POST', pollPath(poll, 'withdrawals'), { option });
  }

  /**
   * Opens or closes a poll, or continues its last round, or opens it for another round (`reopen`), or hides or shows its figures.
   */
  step(poll: string, step: 'open' | 'close' | 'reopen' | 'continue' | 'hide' | 'show'): Promise<PollAnswer> {
    return this.json('POST', pollPath(poll, step));
  }

  result(poll: string, round?: number | string): Promise<Result> {
    return this.json('GET', pollPath(poll, 'result', round));
  }

  recount(poll: string, round?: number | string): Promise<RecountAnswer> {
    return this.json('POST', pollPath(poll, 'recount', round));
  }

  responses(poll: string): Promise<ResponsesAnswer> {
    return this.json('GET', pollPath(poll, 'responses'));
  }

  async devices(): Promise<readonly DeviceAnswer[]> {
    return (await this.json<{ devices: DeviceAnswer[] }>('GET', '/api/devices')).devices;
  }

  registerDevice(device: object): Promise<RegisteredDevice> {
    return this.json('POST', '/api/devices', device);
  }

  /**
   * Registers and changes many devices.
   *
   * @param table the devices as an object, or the bytes of a file: JSON, or CSV as spreadsheets save it
   * @param dryRun whether only to find out what would change
   */
  importDevices(
    table: { readonly devices: readonly object[] } | Uint8Array<ArrayBuffer>,
    { dryRun = false } = {},
  ): Promise<ImportAnswer> {
    return this.json('POST', `/api/devices/import${dryRun ? '?dryRun=true' : ''}`, table);
  }

  changeDevice(device: string, changes: object): Promise<DeviceAnswer> {
    return this.json('PATCH', devicePath(device), changes);
  }

  /** The last events of a device’s connections, whether it is registered or not. */
  traceDevice(device: string): Promise<TraceAnswer> {
    return this.json('GET', `${devicePath(device)}/trace`);
  }

  /** The entries of the vote log that could not be read, latest first. */
  async deadEntries(): Promise<readonly DeadEntryAnswer[]> {
    return (await this.json<{ entries: DeadEntryAnswer[] }>('GET', '/api/log/dead')).entries;
  }

  /** Gives a device a new secret. @param graceSeconds how long the old one works if the new one is not used before */
  renewSecret(device: string, graceSeconds?: number): Promise<RenewedSecret> {
    return this.json('POST', `${devicePath(device)}/secret`, graceSeconds === undefined ? {} : { graceSeconds });
  }

  /** Gives many devices new secrets, at most 200 at a time. */
  renewSecrets(devices: readonly string[], graceSeconds?: number): Promise<RenewedSecrets> {
    return this.json('POST', '/api/devices/secrets', { devices, graceSeconds });
  }

  /** Issues claim codes for many devices, at most 200 at a time; each replaces an earlier one. */
  issueClaims(devices: readonly string[], expiresInSeconds?: number): Promise<ClaimsAnswer> {
    return this.json('POST', '/api/devices/claims', { devices, expiresInSeconds });
  }

  /** Withdraws the claim codes of many devices, at most 200 at a time. */
  withdrawClaims(devices: readonly string[]): Promise<WithdrawnClaims> {
    return this.json('POST', '/api/devices/claims/withdraw', { devices });
  }

  /** Revokes devices together: those that are listed, or a whole group. */
  revokeDevices(which: { readonly devices: readonly string[] } | { readonly group: string }): Promise<RevokedAnswer> {
    return this.json('POST', '/api/devices/revoke', which);
  }

  async revokeDevice(device: string): Promise<void> {
    await this.remove(devicePath(device));
  }

  async operators(): Promise<readonly OperatorAnswer[]> {
    return (await this.json<{ operators: OperatorAnswer[] }>('GET', '/api/operators')).operators;
  }

  /** Creates a named operator. The answer has the token, which is returned only once. */
  createOperator(operator: object): Promise<NewOperatorAnswer> {
    return this.json('POST', '/api/operators', operator);
  }

  /** Sets when an operator’s token stops working. @param expiresAt in ISO 8601; null: never */
  expireOperator(operator: string, expiresAt: string | null): Promise<OperatorAnswer> {
    return this.json('PATCH', operatorPath(operator), { expiresAt });
  }

  async revokeOperator(operator: string): Promise<void> {
    await this.remove(operatorPath(operator));
  }

  /** Records of the audit trail, newest first. @param before only those with lower numbers */
  trail(before?: number, limit = 100): Promise<TrailAnswer> {
    const older = before === undefined ? '' : `&before=${before}`;
    return this.json('GET', `/api/audit-trail?limit=${limit}${older}`);
  }

  /** Has the server check the hashes of the audit trail. */
  checkTrail(): Promise<TrailCheckAnswer> {
    return this.json('GET', '/api/audit-trail/check');
  }

  async guests(): Promise<readonly GuestAnswer[]> {
    return (await this.json<{ guests: GuestAnswer[] }>('GET', '/api/guests')).guests;
  }

  /** Removes a guest’s nickname. @param blocked whether the guest may no longer set one */
  moderateGuest(guest: string, blocked: boolean): Promise<GuestAnswer> {
    return this.json('PATCH', `/api/guests/${encodeURIComponent(guest)}`, { blocked });
  }

  /** Disconnects a guest, and voids its credentials. */
  async revokeGuest(guest: string): Promise<void> {
    await this.remove(`/api/guests/${encodeURIComponent(guest)}`);
  }

  /** Revokes the guests and codes of all rooms. */
  async revokeAllGuests(): Promise<void> {
    await this.remove('/api/guests');
  }

  /** How guests get into a room. */
  roomGuests(room: string): Promise<RoomGuestsAnswer> {
    return this.json('GET', roomPath(room, 'guests'));
  }

  /** @param changes `joinBy`, `code` (null: a new one) and `expected` */
  changeRoomGuests(room: string, changes: object): Promise<RoomGuestsAnswer> {
    return this.json('PATCH', roomPath(room, 'guests'), changes);
  }

  /** Revokes all guests and single codes of a room. */
  revokeRoomGuests(room: string): Promise<RoomGuestsAnswer> {
    return this.json('DELETE', roomPath(room, 'guests'));
  }

  /** Codes for single guests, numbered from `first`. */
  joinCodes(room: string, count: number, first = 1): Promise<JoinCodesAnswer> {
    return this.json('POST', roomPath(room, 'codes'), { count, first });
  }

  async rehearsal(): Promise<RehearsalAnswer | null> {
    return (await this.json<{ rehearsal: RehearsalAnswer | null }>('GET', '/api/rehearsal')).rehearsal;
  }

  async beginRehearsal(poll: string, devices: number, seconds: number): Promise<RehearsalAnswer> {
    const path = pollPath(poll, 'rehearsal');
    return (await this.json<{ rehearsal: RehearsalAnswer }>('POST', path, { devices, seconds })).rehearsal;
  }

  async endRehearsal(): Promise<void> {
    await this.remove('/api/rehearsal');
  }
}

/** The path of a poll, or of a resource below it, optionally for an earlier round. */
export function pollPath(poll: string, resource = '', round?: number | string): string {
  const below = resource === '' ? '' : `/${resource}`;
  const query = round === undefined ? '' : `?round=${encodeURIComponent(round)}`;
  return `/api/polls/${encodeURIComponent(poll)}${below}${query}`;
}

function roomPath(room: string, resource: string): string {
  return `/api/rooms/${encodeURIComponent(room)}/${resource}`;
}

function operatorPath(operator: string): string {
  return `/api/operators/${encodeURIComponent(operator)}`;
}

function devicePath(device: string): string {
  return `/api/devices/${encodeURIComponent(device)}`;
}
