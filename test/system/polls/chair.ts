/** Helpers that run polls, register devices and cast votes. */
import { eventually } from '../../support/eventually.ts';
import type { Device, Stage } from '../../support/stage.ts';

/** Settings for tests in which the identity of a device matters. */
export const DOOR = { door: 'devices' } as const;
export const options = ['a', 'b', 'c'].map((key) => ({ key, label: `Option ${key}` }));

/** Creates a poll as an operator. */
export const create = async (s: Stage, poll: string, settings: object = {}) => {
  const { status, body } = await s.call('POST', '/api/polls', {
    operator: true,
    body: { poll, title: 'Q?', ...settings },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
};

/** Opens, closes, continues or reopens a poll. */
export const step = (s: Stage, poll: string, name: 'open' | 'close' | 'continue' | 'reopen') =>
  s.call('POST', `/api/polls/${poll}/${name}`, { operator: true });

/** The result as an operator sees it. */
export const resultOf = async (s: Stage, poll: string) =>
  (await s.call('GET', `/api/polls/${poll}/result`, { operator: true })).body;

/** Waits for the final result. */
export const finalOf = (s: Stage, poll: string) =>
  eventually(`${poll} to be final`, async () => {
    const result = await resultOf(s, poll);
    return result.final ? result : undefined;
  });

/** Registers a device, connects it and subscribes to its receipts. */
export const register = async (
  s: Stage,
  device: string,
  settings: object = {},
): Promise<Device & { secret: string }> => {
  const { body } = await s.call('POST', '/api/devices', { operator: true, body: { device, ...settings } });
  const connected = await s.device(device, { username: device, password: body.secret });
  await connected.subscribe(`receipt/${device}`);
  return { ...connected, secret: body.secret };
};

/** Connects a device, sends these payloads as votes and disconnects. */
export const votes = async (s: Stage, device: string, poll: string, ...payloads: string[]) => {
  const { vote, client } = await s.device(device);
  for (const payload of payloads) await vote(`vote/${poll}`, payload);
  await client.endAsync();
};
