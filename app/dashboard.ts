import { AuditTrail } from '../core/audit/trail/trail.ts';
import { GuestBook } from '../core/devices/guests/guest-book.ts';
import { Nicknames } from '../core/devices/nicknames.ts';
import type { LiveResults } from '../core/live/results.ts';
import { OperatorRegister } from '../core/operators/register.ts';
import { HttpServer, type Upgrades } from '../core/process/http.ts';
import { prefixOf } from '../core/process/prefix.ts';
import { missingInternals } from '../core/process/sockets/node-internals.ts';
import { WebOrigins } from '../core/process/web-origins.ts';
import { Clock } from '../core/rounds/clock.ts';
import { PollRepository } from '../core/rounds/poll-repository.ts';
import { RecountQueue } from '../core/rounds/recounts/queue.ts';
import { Recounter } from '../core/rounds/recounts/recounter.ts';
import { Rounds } from '../core/rounds/rounds.ts';
import type { Store } from '../core/store/store.ts';
import { createApp } from '../dashboards/api/app.ts';
import { Budgets } from '../dashboards/api/limits/budgets.ts';
import { Guesses } from '../dashboards/api/limits/guesses.ts';
import { Operators } from '../dashboards/api/operators.ts';
import { Recorder } from '../dashboards/api/permissions/recorder.ts';
import { OperatorStreams } from '../dashboards/api/permissions/streams.ts';
import { VoterStreams } from '../dashboards/api/permissions/voter-streams.ts';
import { NotedRegistry } from '../dashboards/api/permissions/writes.ts';
import { Requests } from '../dashboards/api/requests.ts';
import { SlowReaders } from '../dashboards/api/slow-readers.ts';
import { StraightStreams } from '../dashboards/api/streams/straight-streams.ts';
import { Turns } from '../dashboards/api/turns.ts';
import { Joining } from '../dashboards/joining/joining.ts';
import { dashboardMetrics } from '../dashboards/metrics.ts';
import { Rehearsals, type Rehearse } from '../dashboards/rehearsals/rehearsals.ts';
import { Hub } from '../dashboards/sse/hub.ts';
import type { Foundation } from './foundation.ts';
import { sessionRulesOf, signInOf } from './sign-in.ts';

const MISSING_INTERNALS =
  'this version of Node.js names the functions of its HTTP server differently, so result streams need more memory and time';

/** What a broker in the same process provides for a dashboard. */
export interface LocalBroker {
  readonly upgrades: Upgrades;
  /** Undefined if simulated devices could not connect to it. */
  readonly rehearse: Rehearse | undefined;
}

export interface Dashboard {
  /** The operator token. */
  readonly token: string;
  readonly httpPort: number;
  readonly repository: PollRepository;
  readonly rounds: Rounds;
  /** True while somebody watches a poll that takes votes. */
  isWatched(): boolean;
  /** Ends the streams, lets requests finish and refuses further ones. Must come first when the process stops. */
  drain(): Promise<void>;
}

/** Opens a dashboard: rounds and their clock, the API, the pages and the result streams. */
export async function openDashboard(f: Foundation, results: LiveResults, beside?: LocalBroker): Promise<Dashboard> {
  const { config, scope, series, polls, metrics, readiness, descriptors, sockets, tls, log, proxies } = f;
  const registry = new NotedRegistry(f.store.registry);
  const store: Store = Object.create(f.store, { registry: { value: registry, enumerable: true } });
  const repository = new PollRepository(store.registry, polls);
  const rounds = await scope.open(
    'rounds',
    Rounds.open({ store, polls, repository, retentionDays: config.retentionDays, log }),
  );
  await scope.open('clock', Clock.open(polls, rounds, log));
  const measured = dashboardMetrics(metrics);
  const onOutcome = (agrees: boolean) => measured.recounts.inc({ outcome: agrees ? 'agrees' : 'differs' });
  const recounter = new Recounter({ store, results, repository, onOutcome, log });
  await scope.open('recounts', RecountQueue.open({ results, polls, recounter, log }));
  const token = config.operatorToken || (await f.token());
  const operatorRegister = new OperatorRegister(store.registry, sessionRulesOf(config));
  const signIn = await signInOf(config, {
    registry: store.registry,
    register: operatorRegister,
    outcomes: measured.signIns,
    log,
  });
  const operators = new Operators(token, operatorRegister, signIn);
  const operatorStreams = new OperatorStreams(operatorRegister, log);
  scope.add('operator streams', () => operatorStreams.close());
  const trail = new AuditTrail(store.registry);
  const recorder = new Recorder({ trail, operators, metrics, log });
  const { guestHours, guestsPerAddress } = config;
  const guests = await scope.open('guests', GuestBook.open({ registry: store.registry, guestHours, log }));
  const voterStreams = new VoterStreams({ registry: store.registry, guests, log });
  scope.add('voter streams', async () => voterStreams.close());
  const joining = new Joining({ guests, polls, guestsPerAddress, joins: measured.joins, log });
  const nicknames = new Nicknames(store.registry);
  const rehearsals = new Rehearsals(guests, beside?.rehearse);
  const hub = Hub.open({ ...config, polls, results, descriptors, sockets, metrics: measured, log });
  const guesses = new Guesses(metrics, log);
  const budgets = new Budgets({ requestsPerSecond: config.requestsPerSecond, operators, sockets });
  const requests = new Requests();
  const turns = new Turns(beside !== undefined);
  const slowReaders = new SlowReaders(log, () => measured.cut.inc());
  const { publicUrl, door } = config;
  const webOrigins = new WebOrigins(config);
  const app = await createApp(
    {
      ...{ store, series, polls, repository, results, rounds, recounter, hub, requests, operators, guests },
      ...{ nicknames, joining, rehearsals, turns, slowReaders, budgets, guesses },
      ...{ operatorRegister, operatorStreams, voterStreams, signIn, trail, recorder },
      ...{ publicUrl, door, metrics, readiness, log },
    },
    { ...config, webOrigins, tls },
  );
  const prefix = prefixOf(publicUrl);
  const straight = new StraightStreams({ hub, polls, budgets, requests, store, webOrigins, proxies, prefix });
  const address = {
    host: config.host,
    port: config.httpPort,
    upgrades: beside?.upgrades ?? {},
    prefix,
    takeOver: straight.takeOver,
    descriptors,
    tls,
    sockets,
    webOrigins,
  };
  const server = await scope.open('http', HttpServer.open(app, address));
  const missing = missingInternals();
  if (missing.length > 0) log.warn({ missing, node: process.version }, MISSING_INTERNALS);
  scope.add('rehearsals', () => rehearsals.close());
  const drain = async () => {
    await hub.close();
    await requests.drain();
  };
  return { token, httpPort: server.port, repository, rounds, isWatched: () => hub.isVoteWatched, drain };
}
