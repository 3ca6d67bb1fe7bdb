import type { Role } from '../../../core/operators/operator.ts';

/**
 * Who may send which request of the API. Every route has a row here: without one, the process does not start. Admins may do
 * everything.
 */

/** What a role may be limited to: the room of the poll, of a draft in the request’s body, or in the path, or nothing less than all rooms. */
type Reach = 'poll' | 'draft' | 'room' | 'all-rooms' | 'any-room';

export interface Rule {
  /** The action as `<subject>.<verb>`, as records and the operator’s page name it. */
  readonly action: string;
  /** The roles that may do it, besides admins. `anyone`: no token is needed, though the answer may depend on it. */
  readonly roles: readonly Role[] | 'anyone';
  /** What the operator’s rooms must include. */
  readonly reach: Reach;
  /** Whether it is recorded in the audit trail. Refusals always are. */
  readonly isRecorded: boolean;
  /** Roles that may only change these fields, besides those in `roles`. */
  readonly inPart?: Readonly<Partial<Record<Role, readonly string[]>>>;
  /** Whether a screen with the poll’s key may do it, too, and at an open door anybody. */
  readonly isForScreens?: true;
}

/** Anybody may read it, or is checked by the route, as guests are. */
const open = (action: string): Rule => ({ action, roles: 'anyone', reach: 'any-room', isRecorded: false });
const read = (action: string, roles: readonly Role[], reach: Reach): Rule => ({
  action,
  roles,
  reach,
  isRecorded: false,
});
/** An action that is recorded: it changes something, or takes data out. */
const act = (action: string, roles: readonly Role[], reach: Reach): Rule => ({
  action,
  roles,
  reach,
  isRecorded: true,
});
const curtain = (action: string): Rule => ({ ...act(action, ['operator', 'presenter'], 'poll'), isForScreens: true });

const ADMINS: readonly Role[] = [];
const EVERY: readonly Role[] = ['operator', 'presenter', 'auditor', 'viewer'];

/** By method and route. `HEAD` follows `GET`. */
export const PERMISSIONS: Readonly<Record<string, Rule>> = {
  'GET /api/polls': open('poll.list'),
  'POST /api/polls': act('poll.create', ['operator'], 'draft'),
  'GET /api/polls/:poll': open('poll.read'),
  // To reveal a result, a presenter changes who sees it.
  'PATCH /api/polls/:poll': {
    ...act('poll.edit', ['operator'], 'poll'),
    inPart: { presenter: ['visibility', 'basedOn'] },
  },
  'DELETE /api/polls/:poll': act('poll.delete', ['operator'], 'poll'),
  'POST /api/polls/:poll/open': act('poll.open', ['operator', 'presenter'], 'poll'),
  'POST /api/polls/:poll/close': act('poll.close', ['operator', 'presenter'], 'poll'),
  'POST /api/polls/:poll/continue': act('poll.continue', ['operator'], 'poll'),
  'POST /api/polls/:poll/reopen': act('poll.reopen', ['operator'], 'poll'),
  'POST /api/polls/:poll/hide': curtain('poll.hide'),
  'POST /api/polls/:poll/show': curtain('poll.show'),
  'POST /api/polls/:poll/draws': act('poll.draw', ['operator'], 'poll'),
  'POST /api/polls/:poll/withdrawals': act('poll.withdraw', ['operator'], 'poll'),

  'GET /api/polls/:poll/result': open('result.read'),
  'GET /api/polls/:poll/stream': open('result.stream'),
  'GET /api/stream': open('result.stream'),
  'GET /api/leaderboard': open('result.leaderboard'),
  'GET /api/polls/:poll/timeline': open('result.timeline'),
  'GET /api/polls/:poll/responses': read('poll.responses', ['operator', 'auditor'], 'poll'),
  'POST /api/polls/:poll/recount': act('poll.recount', ['operator', 'auditor'], 'poll'),
  'GET /api/polls/:poll/result.csv': act('poll.export', ['operator', 'auditor'], 'poll'),
  'GET /api/polls/:poll/results': read('poll.results', ['operator', 'auditor'], 'poll'),
  'GET /api/polls/:poll/ballots.csv': act('poll.export', ['operator', 'auditor'], 'poll'),
  'GET /api/polls/:poll/audit': act('poll.export', ['operator', 'auditor'], 'poll'),

  'GET /api/devices': read('device.list', ['operator', 'auditor'], 'all-rooms'),
  'POST /api/devices': act('device.register', ['operator'], 'all-rooms'),
  'POST /api/devices/import': act('device.import', ['operator'], 'all-rooms'),
  'GET /api/devices/:device': read('device.read', ['operator', 'auditor'], 'all-rooms'),
  'PATCH /api/devices/:device': act('device.change', ['operator'], 'all-rooms'),
  'DELETE /api/devices/:device': act('device.revoke', ['operator'], 'all-rooms'),
  'POST /api/devices/revoke': act('device.revoke', ['operator'], 'all-rooms'),
  'POST /api/devices/secrets': act('device.secret', ['operator'], 'all-rooms'),
  'POST /api/devices/claims': act('device.claim', ['operator'], 'all-rooms'),
  'POST /api/devices/claims/withdraw': act('device.unclaim', ['operator'], 'all-rooms'),
  'POST /api/devices/:device/secret': act('device.secret', ['operator'], 'all-rooms'),
  'POST /api/devices/:device/claim': act('device.claim', ['operator'], 'all-rooms'),
  'DELETE /api/devices/:device/claim': act('device.unclaim', ['operator'], 'all-rooms'),
  'POST /api/claim': open('device.exchange'),
  'GET /api/devices/:device/trace': read('device.trace', ['operator', 'auditor'], 'all-rooms'),

  'GET /api/guests/me': open('guest.read'),
  'PUT /api/guests/me': open('guest.name'),
  'GET /api/guests': read('guest.list', ['operator', 'auditor'], 'all-rooms'),
  'PATCH /api/guests/:guest': act('guest.moderate', ['operator'], 'all-rooms'),
  'DELETE /api/guests/:guest': act('guest.revoke', ['operator'], 'all-rooms'),
  'DELETE /api/guests': act('guest.revoke', ['operator'], 'all-rooms'),

  'GET /api/rooms/:room': open('room.read'),
  'GET /api/rooms/:room/stream': open('room.stream'),
  'POST /api/rooms/:room/join': open('room.join'),
  'GET /api/rooms/:room/guests': read('room.guests', ['operator', 'auditor'], 'room'),
  'PATCH /api/rooms/:room/guests': act('room.admit', ['operator'], 'room'),
  'DELETE /api/rooms/:room/guests': act('room.revoke', ['operator'], 'room'),
  'POST /api/rooms/:room/codes': act('room.codes', ['operator'], 'room'),

  'GET /api/rehearsal': read('rehearsal.read', ['operator'], 'all-rooms'),
  'POST /api/polls/:poll/rehearsal': act('rehearsal.begin', ['operator'], 'all-rooms'),
  'DELETE /api/rehearsal': act('rehearsal.end', ['operator'], 'all-rooms'),

  'GET /api/sign-in': open('session.ways'),
  'POST /api/sign-in': open('session.ask'),
  // Who may have a session is decided by the route, from what the identity provider says.
  'POST /api/sign-in/complete': { ...open('session.begin'), isRecorded: true },
  'DELETE /api/session': act('session.end', EVERY, 'any-room'),
  'GET /api/operator': read('deployment.read', EVERY, 'any-room'),
  'GET /api/log/dead': read('log.dead', ['operator', 'auditor'], 'all-rooms'),
  'GET /api/operators': read('operator.list', ['auditor'], 'all-rooms'),
  'POST /api/operators': act('operator.create', ADMINS, 'all-rooms'),
  'PATCH /api/operators/:operator': act('operator.expire', ADMINS, 'all-rooms'),
  'DELETE /api/operators/:operator': act('operator.revoke', ADMINS, 'all-rooms'),
  'GET /api/audit-trail': read('trail.read', ['auditor'], 'all-rooms'),
  'GET /api/audit-trail/check': read('trail.check', ['auditor'], 'all-rooms'),
};

/**
 * True if a request needs nobody’s permission, and leaves no record.
 *
 * @param route the method and the route; false for one without a row
 */
export function isForAnyone(route: string): boolean {
  const rule = Object.hasOwn(PERMISSIONS, route) ? PERMISSIONS[route] : undefined;
  return rule?.roles === 'anyone' && !rule.isRecorded;
}

/** True if a role may do all that a rule describes, apart from rooms. */
export function mayDo({ roles }: Rule, role: Role | undefined): boolean {
  return roles === 'anyone' || role === 'admin' || (role !== undefined && roles.includes(role));
}
