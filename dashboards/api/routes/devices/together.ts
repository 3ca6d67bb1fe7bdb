import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RefusedDevice } from '../../../../client/answers.ts';
import type { Revocation } from '../../../../core/devices/revocation.ts';
import { Refusal } from '../../../../core/runtime/refusal.ts';
import { StoreError, StoreRefusal } from '../../../../core/store/error.ts';

/** How many of the devices of one request are worked on at a time. */
const TOGETHER = 2;

/** Something that is done for each of several devices. */
interface Course<Done> {
  /** @throws Refusal if it cannot be done for this device; anything else ends the work for all */
  readonly work: (device: string) => Promise<Done>;
  readonly onDone: (done: Done) => void;
  /** True once nobody waits for the outcome any more. */
  readonly isOver: () => boolean;
}

/** What became of each device, in the order of the request. */
interface Outcomes<Done> {
  readonly done: readonly Done[];
  readonly refused: readonly RefusedDevice[];
  /** The error that ended the work; undefined if there was none. */
  readonly error: unknown;
}

/**
 * Does something for each device. A device for which it is refused does not keep the others from it. After any other error, what was
 * begun is finished, nothing else is begun, and the devices that are left are refused.
 */
export async function forEach<Done>(
  devices: readonly string[],
  { work, onDone, isOver }: Course<Done>,
): Promise<Outcomes<Done>> {
  const outcomes: { done?: Done; refused?: RefusedDevice }[] = [];
  let failure: { readonly error: unknown } | undefined;
  const waiting = devices.entries();
  const worker = async () => {
    while (!failure && !isOver()) {
      const { value } = waiting.next();
      if (!value) return;
      const [i, device] = value;
      try {
        const done = await work(device);
        onDone(done);
        outcomes[i] = { done };
      } catch (error) {
        if (!(error instanceof Refusal)) failure ??= { error };
        outcomes[i] = { refused: refusedBy(device, error) };
      }
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, worker));
  const all = devices.map((device, i) => outcomes[i] ?? { refused: notBegun(device) });
  return {
    done: all.flatMap(({ done }) => done ?? []),
    refused: all.flatMap(({ refused }) => refused ?? []),
    error: failure?.error,
  };
}

/** The devices of a revocation that may not have been revoked. */
export function leftOf({ uncertain, notBegun: left, error }: Revocation): RefusedDevice[] {
  // Of several writes for one device, the store may have refused only the last one.
  return [...uncertain.map((device) => uncertainly(device, error)), ...left.map(notBegun)];
}

/** True once a request has been answered, because the process stops, or its client has gone. */
export function isOver({ raw }: FastifyRequest, { sent }: FastifyReply): boolean {
  return sent || raw.socket.destroyed;
}

function refusedBy(device: string, error: unknown): RefusedDevice {
  if (error instanceof Refusal) return { device, code: error.code, why: error.message };
  if (error instanceof StoreRefusal) return { device, code: 'store-refuses', why: error.message };
  return uncertainly(device, error);
}

function uncertainly(device: string, error: unknown): RefusedDevice {
  const cause = error instanceof StoreError ? 'the store did not answer' : 'something went wrong on the server';
  return { device, code: 'unknown', why: `${cause}; this may have been done` };
}

function notBegun(device: string): RefusedDevice {
  return { device, code: 'not-begun', why: 'not begun, because the request ended before' };
}
