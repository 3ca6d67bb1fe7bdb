import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { Test } from 'tap';
import { readConfig } from '../../core/config/config.ts';
import type { SettingName } from '../../core/config/settings.ts';
import { createLog } from '../../core/runtime/log.ts';
import type { Result } from '../../core/voting/result/result.ts';
import { eventually } from './eventually.ts';
import { fetchSecurely } from './network/https.ts';
import './reaper.ts';
import { type Pollcast, start } from '../../app/pollcast.ts';

const TOKEN = 'operator-token-of-tests';

/**
 * The whole product running in this process, on free ports and with its own data, plus helpers to use it. With certificates from a
 * hall (`hall.ts`), the helpers use TLS.
 */
export interface Stage {
  readonly pollcast: Pollcast;
  readonly directory: string;
  readonly http: string;
  readonly mqtt: string;
  readonly operator: Readonly<Record<string, string>>;
  /** Sends a request with `body` as JSON; as an operator only if `operator` is true. */
  call(method: string, path: string, options?: { body?: unknown; operator?: boolean }): Promise<Answer>;
  /** Creates a poll with options a, b, c and live results, and opens it. */
  openPoll(poll: string, settings?: object): Promise<void>;
  /** The result as an operator sees it, once `votes` votes have been received. */
  resultAfter(poll: string, votes: number): Promise<Result>;
  /** Connects a device, which is disconnected at the end of the test. */
  device(clientId: string, options?: IClientOptions): Promise<Device>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  readonly body: any;
}

/** An MQTT client that records the messages it receives. */
export interface Device {
  readonly client: MqttClient;
  readonly messages: [topic: string, payload: string][];
  /** Subscribes; resolves with the granted QoS, or 128 if refused. */
  subscribe(topic: string, qos?: 0 | 1 | 2): Promise<number>;
  vote(topic: string, payload: string | Buffer, options?: { qos?: 0 | 1 | 2; retain?: boolean }): Promise<void>;
  /** Resolves when the connection is closed. */
  closed(): Promise<void>;
  /** Resolves with the oldest message on the topic that `next` has not returned yet, and waits for one if necessary. */
  next(topic: string): Promise<string>;
}

export async function stage(
  t: Test,
  settings: Partial<Record<SettingName, string>> = {},
  directory = t.testdir(),
): Promise<Stage> {
  const flags = {
    mqttPort: '0',
    mqttsPort: '0',
    httpPort: '0',
    dataDir: directory,
    operatorToken: TOKEN,
    logLevel: 'silent',
    ...settings,
  };
  const config = readConfig(flags, {});
  const pollcast = await start('all', config, createLog(config.logLevel));
  const ca = config.tlsCert === '' ? undefined : readFileSync(join(dirname(config.tlsCert), 'ca.crt'), 'utf8');
  const http = `http${ca ? 's' : ''}://127.0.0.1:${pollcast.httpPort}`;
  const mqttUrl = ca ? `mqtts://127.0.0.1:${pollcast.mqttsPort}` : `mqtt://127.0.0.1:${pollcast.mqttPort}`;
  const operator = { authorization: `Bearer ${TOKEN}` };
  const clients: MqttClient[] = [];

  const call: Stage['call'] = async (method, path, { body, operator: isOperator = false } = {}) => {
    const headers: Record<string, string> = isOperator ? { ...operator } : {};
    if (body !== undefined) headers['content-type'] = 'application/json';
    const text = body === undefined ? null : JSON.stringify(body);
    const request = { method, headers, body: text };
    const response = await (ca ? fetchSecurely(http + path, ca, request) : fetch(http + path, request));
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
      const body = { poll, title: `Poll ${poll}`, options, visibility: 'live', ...more };
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
      const client = mqtt.connect(mqttUrl, {
        clientId,
        protocolVersion: 4,
        reconnectPeriod: 0,
        ...(ca ? { ca } : {}),
        ...options,
      });
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
