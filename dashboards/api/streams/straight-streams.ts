import { isIP, type Socket } from 'node:net';
import type { PollBook } from '../../../core/live/poll-book.ts';
import { clientAddress, type Networks } from '../../../core/process/networks.ts';
import type { WebOrigins } from '../../../core/process/web-origins.ts';
import type { Store } from '../../../core/store/store.ts';
import type { Admission, Hub } from '../../sse/hub.ts';
import { takeOver } from '../../sse/opening/begin.ts';
import { type PlainRequest, plainRequest, STREAM_ROUTES } from '../../sse/opening/plain-request.ts';
import type { Budgets } from '../limits/budgets.ts';
import { isForAnyone } from '../permissions/table.ts';
import type { Requests } from '../requests.ts';

/**
 * Minimum time in ms between looks whether stored data is gone: each costs as much as the rest of a connect. A stream that is open is not
 * ended when data is gone, so one may as well begin that much later.
 */
const LOOK_EVERY_MS = 50;

interface Parts {
  readonly hub: Hub;
  readonly polls: PollBook;
  readonly budgets: Budgets;
  readonly requests: Requests;
  readonly store: Store;
  readonly webOrigins: WebOrigins;
  readonly proxies: Networks;
  /** The path under which a proxy serves Pollcast. */
  readonly prefix: string;
}

/**
 * Begins plain streams of the public without the HTTP server, whose parser, objects and hooks would cost several times as much. Whatever
 * is not plain, or must be refused, is left to the HTTP server, which has the same rules and answers what is wrong. So is the first
 * stream of each route and form: its head is used for the others. The hooks of the app do not run here, so what they demand of everybody is
 * asked for below, and a stream that the table of permissions does not leave to anyone never begins here.
 */
export class StraightStreams {
  private readonly parts: Parts;
  /** The host that the last request named, which was allowed. */
  private host: string | undefined;
  /** Whether stored data is there, and when that is looked at again (`performance.now()`). */
  private isStored = false;
  private lookAgainMs = 0;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Takes a connection over if its first bytes are a request for a stream that may begin. @returns whether it did */
  readonly takeOver = (socket: Socket, first: Buffer): boolean => {
    const request = plainRequest(first, this.parts.prefix);
    return request !== undefined && this.begin(socket, request);
  };

  private begin(socket: Socket, request: PlainRequest): boolean {
    const { hub, polls, budgets, requests } = this.parts;
    const { of, name, form } = request;
    const route = STREAM_ROUTES[of];
    const head = hub.heads.get(route, form);
    if (head === undefined || !isForAnyone(`GET ${route}`)) return false;
    if (requests.isStopping || !this.isStoreThere() || !this.mayName(request.host)) return false;
    const poll = of === 'polls' ? polls.get(name) : undefined;
    if (of === 'polls' && !poll) return false;
    const address = this.addressOf(socket, request);
    if (address === undefined) return false;
    const asker = { isOperator: false, address, ...(poll ? {} : { room: name }) };
    const seat = hub.wouldAdmit(asker);
    if (!seat || !budgets.take(address)) return false;
    const place = hub.seat(seat, socket);
    const admitted = { socket, form, place, opening: head.opening(), way: 'straight' as const };
    takeOver(socket);
    if (poll) void hub.watch(admitted, new Map<string, Admission>([[name, { audience: 'public', round: poll.round }]]));
    else void hub.watchRoom(admitted, name, 'public');
    return true;
  }

  /** False while stored data is gone. */
  private isStoreThere(): boolean {
    if (performance.now() < this.lookAgainMs) return this.isStored;
    const condition = this.parts.store.condition();
    this.isStored = condition.ok || !condition.isGone;
    this.lookAgainMs = performance.now() + LOOK_EVERY_MS;
    return this.isStored;
  }

  private mayName(host: string | undefined): boolean {
    if (host !== undefined && host === this.host) return true;
    if (this.parts.webOrigins.problem({ headers: { host } }) !== undefined) return false;
    this.host = host;
    return true;
  }

  /** Undefined if a proxy names what is no address. */
  private addressOf(socket: Socket, { forwardedFor }: PlainRequest): string | undefined {
    const { proxies } = this.parts;
    if (forwardedFor === undefined || !proxies.has(socket.remoteAddress)) return socket.remoteAddress;
    if (!forwardedFor.split(',').every((address) => isIP(address.trim()) > 0)) return undefined;
    return clientAddress({ socket, headers: { 'x-forwarded-for': forwardedFor } }, proxies);
  }
}
