import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { Test } from 'tap';
import { type Pollcast, start } from '../cli/up.ts';
import { readConfig } from '../core/runtime/config.ts';
import { createLog } from '../core/runtime/log.ts';
import type { SettingName } from '../core/runtime/settings.ts';
import type { Result } from '../core/voting/result.ts';

const TOKEN = 'operator-token-of-tests';

/** The whole product in this process, on free ports and data of its own, with what tests say to it. */
export interface Stage {
  readonly pollcast: Pollcast;
  readonly directory: string;
  readonly http: string;
  readonly mqtt: string;
  readonly operator: Readonly<Record<string, string>>;
  /** A request; `body` is sent as JSON. Not an operator's unless asked for. */
  call(method: string, path: string, options?: { body?: unknown; operator?: boolean }): Promise<Answer>;
  /** Creates a poll with options a, b, c and opens it. */
  openPoll(poll: string, settings?: object): Promise<void>;
  /** The result as an operator sees it, once `votes` votes were received. */
  resultAfter(poll: string, votes: number): Promise<Result>;
  /** A connected device; it is ended with the test. */
  device(clientId: string, options?: IClientOptions): Promise<Device>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

/** A client that remembers what it was told. */
export interface Device {
  readonly client: MqttClient;
  readonly messages: [topic: string, payload: string][];
  /** Subscribes; resolves with the granted QoS, 128 for a refusal. */
  subscribe(topic: string, qos?: 0 | 1 | 2): Promise<number>;
  vote(topic: string, payload: string | Buffer, options?: { qos?: 0 | 1 | 2; retain?: boolean }): Promise<void>;
  /** Resolves when the connection is gone. */
  closed(): Promise<void>;
  /** The next message on a topic that was not asked for before. */
  next(topic: string): Promise<string>;
}

/** How long tests wait for what must come, ms. */
export const PATIENCE_MS = 30_000;

export async function stage(
  t: Test,
  settings: Partial<Record<SettingName, string>> = {},
  directory = t.testdir(),
): Promise<Stage> {
  const flags = {
    mqttPort: '0',
    httpPort: '0',
    dataDir: directory,
    operatorToken: TOKEN,
    logLevel: 'silent',
    ...settings,
  };
  const config = readConfig(flags, {});
  const pollcast = await start('all', config, createLog(config.logLevel));
  const http = `http://127.0.0.1:${pollcast.httpPort}`;
  const mqttUrl = `mqtt://127.0.0.1:${pollcast.mqttPort}`;
  const operator = { authorization: `Bearer ${TOKEN}` };
  const clients: MqttClient[] = [];

  const call: Stage['call'] = async (method, path, { body, operator: isOperator = false } = {}) => {
    const headers: Record<string, string> = isOperator ? { ...operator } : {};
    if (body !== undefined) headers['content-type'] = 'application/json';
    const text = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(http + path, { method, headers, body: text });
    const isJson = /[/+]json(;|$)/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? await response.json() : await response.text(),
    };
  };

  const stop = async () => {
    await Promise.all(clients.map((client) => client.endAsync(true)));
    await pollcast.stop();
  };
  t.teardown(stop);

  return {
    pollcast,
    directory,
    http,
    mqtt: mqttUrl,
    operator,
    call,
    stop,

    async openPoll(poll, more = {}) {
      const options = ['a', 'b', 'c'].map((key) => ({ key, label: `Option ${key}` }));
      const body = { poll, title: `Poll ${poll}`, options, ...more };
      const created = await call('POST', '/api/polls', { body, operator: true });
      const opened = await call('POST', `/api/polls/${poll}/open`, { operator: true });
      if (created.status !== 201 || opened.status !== 200) throw new Error(JSON.stringify([created.body, opened.body]));
    },

    resultAfter: (poll, votes) =>
      eventually(`${votes} votes in ${poll}`, async () => {
        const { body } = await call('GET', `/api/polls/${poll}/result`, { operator: true });
        return body.votes >= votes ? (body as Result) : undefined;
      }),

    async device(clientId, options = {}) {
      const client = mqtt.connect(mqttUrl, { clientId, protocolVersion: 4, reconnectPeriod: 0, ...options });
      clients.push(client);
      await new Promise<void>((resolve, reject) => {
        client.once('connect', () => resolve()).once('error', reject);
      });
      client.on('error', () => {});
      return device(client);
    },
  };
}

function device(client: MqttClient): Device {
  const messages: [string, string][] = [];
  const seen = new Map<string, number>();
  client.on('message', (topic, payload) => messages.push([topic, payload.toString()]));
  return {
    client,
    messages,
    async subscribe(topic, qos = 0) {
      const [granted] = await client.subscribeAsync(topic, { qos }).catch((error) => {
        if (/Unspecified error|128/.test(String(error))) return [{ qos: 128 }];
        throw error;
      });
      return granted?.qos ?? 128;
    },
    async vote(topic, payload, { qos = 1, retain = false } = {}) {
      await client.publishAsync(topic, payload, { qos, retain });
    },
    closed: () => new Promise((resolve) => client.once('close', () => resolve())),
    next: (topic) =>
      eventually(`a message on ${topic}`, async () => {
        const all = messages.filter(([to]) => to === topic);
        const at = seen.get(topic) ?? 0;
        const found = all[at];
        if (found) seen.set(topic, at + 1);
        return found?.[1];
      }),
  };
}

/** Asks until there is an answer. @throws Error that names `what` when none comes in time */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const endMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > endMs) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}
