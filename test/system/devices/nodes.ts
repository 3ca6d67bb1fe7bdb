import type { IncomingMessage } from 'node:http';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { Test } from 'tap';
import { eventually } from '../../support/eventually.ts';
import { emptyFolder } from '../../support/folder.ts';
import { Server } from '../../support/process.ts';
import { redisServer } from '../../support/servers.ts';
import { watch } from '../dashboards/viewer.ts';

export interface Credentials {
  readonly id: string;
  readonly password: string;
}

/** Two nodes on one Redis, by number, each with a broker, a processor and a dashboard, and two open polls. */
export interface Nodes {
  /** Sends a request, as the operator of the deployment unless there is an `authorization`. */
  call(
    node: number,
    method: string,
    path: string,
    body?: object,
    authorization?: string,
    // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  ): Promise<{ readonly status: number; readonly body: any }>;
  /** Connects a device or guest. */
  enter(t: Test, node: number, who: Credentials): Promise<MqttClient>;
  /** Opens a stream at both nodes. Resolves once each shows figures. */
  streams(t: Test, path: string, authorization: string): Promise<IncomingMessage[]>;
}

/** Starts both nodes. `voters` shows its figures to those who have voted, `staff` to operators. */
export async function twoNodes(t: Test): Promise<Nodes> {
  const redis = await redisServer(emptyFolder(t));
  t.teardown(() => redis.program.end());
  const env = { POLLCAST_REDIS_URL: redis.url, POLLCAST_DOOR: 'devices', POLLCAST_GUESTS_PER_ADDRESS: '10000' };
  const nodes = [new Server(emptyFolder(t), { env }), new Server(emptyFolder(t), { env })];
  for (const node of nodes) t.teardown(() => node.kill());
  await Promise.all(nodes.map((node) => node.start()));
  const nodeOf = (i: number) => nodes[i % 2] as Server;

  const call: Nodes['call'] = async (i, method, path, body, authorization) => {
    const { http, token } = nodeOf(i);
    const headers: Record<string, string> = { authorization: authorization ?? `Bearer ${token}` };
    if (body) headers['content-type'] = 'application/json';
    const answer = await fetch(http + path, { method, headers, body: body ? JSON.stringify(body) : null });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const enter: Nodes['enter'] = async (t, i, { id, password }) => {
    const options: IClientOptions = { clientId: id, username: id, password, reconnectPeriod: 0 };
    const client = await mqtt.connectAsync(nodeOf(i).mqtt, options, false);
    client.on('error', () => {});
    t.teardown(() => client.endAsync(true));
    return client;
  };
  const streamAt = ({ http }: Server, t: Test, path: string, authorization: string) =>
    eventually('figures', async () => {
      const { events, response } = await watch(t, http + path, { authorization });
      const first = await eventually('a result', async () => events.find(({ event }) => event === 'result'));
      if (!first.data.hidden) return response;
      // The vote is not counted yet.
      response.destroy();
      return undefined;
    });

  const options = ['a', 'b'].map((key) => ({ key, label: key }));
  for (const [poll, visibility] of [
    ['voters', 'voted'],
    ['staff', 'operator'],
  ] as const) {
    await call(0, 'POST', '/api/polls', { poll, title: poll, room: poll, options, visibility });
    await call(0, 'POST', `/api/polls/${poll}/open`);
  }
  return {
    call,
    enter,
    streams: (t, path, authorization) => Promise.all(nodes.map((node) => streamAt(node, t, path, authorization))),
  };
}
