import { isIP, type Socket } from 'node:net';
import type { PollBook } from '../../../core/live/poll-book.ts';
import { clientAddress, type Networks } from '../../../core/process/networks.ts';
import type { WebOrigins } from '../../../core/process/web-origins.ts';
import type { Store } from '../../../core/store/store.ts';
import { takeOver } from '../../sse/begin.ts';
import type { Admission, Hub } from '../../sse/hub.ts';
import { type PlainRequest, plainRequest } from '../../sse/plain-request.ts';
import type { Budgets } from '../limits/budgets.ts';
import type { Requests } from '../requests.ts';

/** Minimum time in ms between looks at the store, which cost as much as the rest. Streams that are open are not looked after either. */
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
 * stream of each form: its head is used for the others.
 */
export class StraightStreams {
  private readonly parts: Parts;
  /** The host that the last request named, which was allowed. */
  private host: string | undefined;
  /** When the store is looked at again (`performance.now()`). */
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
    const head = hub.heads.get(form);
    const poll = of === 'polls' ? polls.get(name) : undefined;
    if (head === undefined || (of === 'polls' && !poll)) return false;
    if (requests.isStopping || !this.isStoreThere() || !this.mayName(request.host)) return false;
    const address = this.addressOf(socket, request);
    if (address === undefined) return false;
    const asker = { isOperator: false, address, ...(poll ? {} : { room: name }) };
    if (!hub.wouldAdmit(asker) || !budgets.take(address)) return false;
    const admitted = { socket, form, place: hub.admit(asker, socket), opening: head.opening() };
    takeOver(socket);
    const watching = poll
      ? hub.watch(admitted, new Map<string, Admission>([[name, { audience: 'public', round: poll.round }]]))
      : hub.watchRoom(admitted, name, 'public');
    watching.catch(() => socket.destroy());
    return true;
  }

  /** False while stored data is gone. */
  private isStoreThere(): boolean {
    if (performance.now() < this.lookAgainMs) return true;
    const condition = this.parts.store.condition();
    if (!condition.ok && condition.isGone) return false;
    this.lookAgainMs = performance.now() + LOOK_EVERY_MS;
    return true;
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
