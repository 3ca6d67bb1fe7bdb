import { get, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, constants as zlib } from 'node:zlib';
import type { Test } from 'tap';
import type { Stage } from '../../support/stage.ts';

/** An event of a result stream. */
export interface SseEvent {
  readonly event: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events of every shape
  readonly data: any;
  readonly atMs: number;
}

/** Opens a stream and records its events. */
export async function watch(t: Test, url: string, headers: Record<string, string> = {}) {
  const events: SseEvent[] = [];
  let isEnded = false;
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    get(url, { headers }, resolve).on('error', reject),
  );
  let rest = '';
  const isGzip = response.headers['content-encoding'] === 'gzip';
  const body: Readable = isGzip ? response.pipe(createGunzip({ finishFlush: zlib.Z_SYNC_FLUSH })) : response;
  body.setEncoding('utf8').on('error', () => {});
  body.on('data', (text: string) => {
    const frames = (rest + text).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1];
      const event = field('event');
      if (event) events.push({ event, id: field('id') ?? '', data: JSON.parse(field('data') ?? ''), atMs: Date.now() });
    }
  });
  response.on('close', () => (isEnded = true)).on('error', () => {});
  t.teardown(() => response.destroy());
  return { events, response, isEnded: () => isEnded };
}

/** Connects a device, votes once and disconnects. */
export const vote = async (s: Stage, device: string, poll: string, choice: string) => {
  const { vote, client } = await s.device(device);
  await vote(`vote/${poll}`, choice);
  await client.endAsync();
};
