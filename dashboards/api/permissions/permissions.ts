import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { PollBook } from '../../../core/live/poll-book.ts';
import { type Caller, reachesRoom } from '../../../core/operators/operator.ts';
import { noSuchPoll, type Permit } from '../../../core/rounds/poll-repository.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import type { Operators } from '../operators.ts';
import { isOfApi } from '../requests.ts';
import { mayDo, PERMISSIONS, type Rule } from './table.ts';

interface Parts {
  readonly operators: Operators;
  readonly polls: PollBook;
  readonly door: 'open' | 'devices';
}

/**
 * Lets each request of an app through only as the table of permissions says. Call this before routes are added.
 *
 * @throws Error when a route of the API is added that has no row in the table
 */
export function demandPermissions(app: FastifyInstance, { operators, polls, door }: Parts): void {
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      if (url.startsWith('/api/') && !ruleFor(one, url)) {
        throw new Error(`${one} ${url}: add a row to dashboards/api/permissions/table.ts that says who may do this`);
      }
    }
  });

  app.addHook('onRequest', async (request) => {
    if (!isOfApi(request)) return;
    // A wrong token is refused even where none is needed, and at paths that do not exist: guessing there must not be cheaper.
    operators.caller(request);
    const rule = ruleOf(request);
    if (!rule) return;
    if (rule.roles === 'anyone') return;
    const { poll: id, room } = request.params as { readonly poll?: string; readonly room?: string };
    if (rule.isForScreens) {
      const poll = polls.get(id ?? '');
      if (!poll) throw noSuchPoll(id ?? '');
      if (operators.isScreen(request, poll) || door === 'open') return;
    }
    const caller = operators.demand(request, rule.isForScreens ? SCREENS_TOO : undefined);
    if (!mayDo(rule, caller.role) && !rule.inPart?.[caller.role]) throw notForRole(caller, rule.action);
    if (caller.rooms === undefined || rule.reach === 'any-room') return;
    if (rule.reach === 'all-rooms') throw notAllowed(caller, `${rule.action} is for operators of all rooms`);
    if (rule.reach === 'room' && !reachesRoom(caller, room)) throw elsewhere(caller, room);
    if (rule.reach === 'poll' && id !== undefined) await demandRoomOf(id, caller, polls);
  });

  // Before the body is validated, because a route may take out what is null.
  app.addHook('preValidation', async (request) => {
    const rule = ruleOf(request);
    const caller = operators.signedIn(request);
    if (!rule || !caller) return;
    // The body may have taken minutes to arrive, and the poll may have moved meanwhile, too.
    await operators.demandCurrent(request);
    const { poll: id } = request.params as { readonly poll?: string };
    if (rule.roles !== 'anyone' && rule.reach === 'poll' && id !== undefined && caller.rooms !== undefined)
      await demandRoomOf(id, caller, polls);
    const isObject = typeof request.body === 'object' && request.body !== null;
    const body = (isObject ? request.body : {}) as { readonly room?: unknown };
    const fields = mayDo(rule, caller.role) ? undefined : rule.inPart?.[caller.role];
    const other = fields && Object.keys(body).find((field) => !fields.includes(field));
    if (other !== undefined) throw notForRole(caller, `${rule.action} of ${JSON.stringify(other.slice(0, 64))}`);
    // The room of a new poll, or the one to which a poll would move.
    if (rule.reach !== 'draft' && !(rule.reach === 'poll' && 'room' in body)) return;
    const room = typeof body.room === 'string' ? body.room : undefined;
    if (!reachesRoom(caller, room)) throw elsewhere(caller, room);
  });
}

/**
 * Checks a poll in the step that changes it: since the request was let through, it may have moved to another room, which this process
 * may not have heard of. @returns throws Refusal not-allowed, operators-only
 */
export function permitOf({ operators, door }: Pick<Parts, 'operators' | 'door'>, request: FastifyRequest): Permit {
  const rule = ruleOf(request);
  return (poll) => {
    if (!rule || (rule.isForScreens && (door === 'open' || operators.isScreen(request, poll)))) return;
    const caller = operators.demand(request, rule.isForScreens ? SCREENS_TOO : undefined);
    if (!mayDo(rule, caller.role) && !rule.inPart?.[caller.role]) throw notForRole(caller, rule.action);
    const { room } = poll.definition;
    if (!reachesRoom(caller, room)) throw elsewhere(caller, room);
  };
}

/** The rule for a request; undefined if it is not for a route of the API. */
export function ruleOf(request: FastifyRequest): Rule | undefined {
  const { url } = request.routeOptions;
  return url !== undefined && isOfApi(request) ? ruleFor(request.method, url) : undefined;
}

function ruleFor(method: string, url: string): Rule | undefined {
  const name = `${method === 'HEAD' ? 'GET' : method} ${url}`;
  return Object.hasOwn(PERMISSIONS, name) ? PERMISSIONS[name] : undefined;
}

/** @throws Refusal not-allowed; a poll that does not exist is left to the route */
async function demandRoomOf(id: string, caller: Caller, polls: PollBook): Promise<void> {
  // This process may not have heard yet that another one has created or moved the poll.
  await polls.refresh(id);
  const poll = polls.get(id);
  if (poll && !reachesRoom(caller, poll.definition.room)) throw elsewhere(caller, poll.definition.room);
}

const SCREENS_TOO =
  'operators only, or a screen that was opened from the operator’s page: its address contains the key';

function elsewhere(caller: Caller, room: string | undefined): Refusal {
  const where = room === undefined ? 'polls without a room are' : `room ${JSON.stringify(room.slice(0, 64))} is`;
  return notAllowed(caller, `${where} not among your rooms (${caller.rooms?.join(', ')})`);
}

function notForRole(caller: Caller, what: string): Refusal {
  return notAllowed(caller, `the role ${caller.role} does not allow ${what}`);
}

function notAllowed({ name }: Caller, why: string): Refusal {
  return new Refusal('not-allowed', `${name} may not do this: ${why}`);
}
