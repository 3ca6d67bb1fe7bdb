import { pino } from 'pino';
import { Registry } from 'prom-client';
import { openBroker } from '../../../app/broker.ts';
import type { Foundation } from '../../../app/foundation.ts';
import { openProcessor } from '../../../app/processor.ts';
import { readConfig } from '../../../core/config/config.ts';
import { PollBook } from '../../../core/live/poll-book.ts';
import { LiveResults } from '../../../core/live/results.ts';
import { Descriptors } from '../../../core/process/descriptors.ts';
import { Readiness } from '../../../core/process/readiness.ts';
import { Scope } from '../../../core/process/scope.ts';
import { Clock } from '../../../core/rounds/clock.ts';
import { PollRepository } from '../../../core/rounds/poll-repository.ts';
import { RecountQueue } from '../../../core/rounds/recounts/queue.ts';
import { Recounter } from '../../../core/rounds/recounts/recounter.ts';
import { Rounds } from '../../../core/rounds/rounds.ts';
import type { Log } from '../../../core/runtime/log.ts';
import type { Trace } from '../checks/trace.ts';
import type { RemoteAccess } from '../store/server.ts';
import type { SimulatedStore } from '../store/store.ts';
import { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';
import { simulatedSessions } from './sessions.ts';

/** How long in ms until a process that has exited is started again. */
const RESTART_MS = 1_000;
/** Lines of the log that may never be written, whatever fails outside. */
const DEFECTS = [
  'two recounts found that the count is wrong',
  'could not process a packet',
  'Aedes reported an error',
] as const;

export type Role = 'broker' | 'processor' | 'dashboard' | 'all';

/** What an operator uses. */
export interface Dashboard {
  readonly repository: PollRepository;
  readonly rounds: Rounds;
  readonly results: LiveResults;
  readonly polls: PollBook;
}

interface ProcessParts {
  readonly name: string;
  readonly role: Role;
  readonly world: World;
  readonly trace: Trace;
  readonly openStore: (machine: Machine) => {
    readonly store: SimulatedStore;
    readonly access?: RemoteAccess | undefined;
  };
  /** How fast its clock runs, and how far it is off when it starts, in ms. */
  readonly clock: { readonly rate: number; readonly wallOffsetMs: number; readonly startedMs: number };
  /** Called when a dashboard serves results. */
  readonly onDashboard: (dashboard: Dashboard) => void;
  /** Called when the process logs what may not happen. */
  readonly onDefect: (line: string) => void;
}

/** A process of the product, which is started again whenever it ends. */
export class Process {
  readonly name: string;
  readonly role: Role;
  machine: Machine;
  /** Its way to the store; undefined if the store is on its disk. */
  access: RemoteAccess | undefined;
  /** The MQTT port of a broker that is ready. */
  port: number | undefined;
  dashboard: Dashboard | undefined;
  private readonly parts: ProcessParts;
  private scope: Scope | undefined;
  private mayStart = true;

  constructor(parts: ProcessParts) {
    this.parts = parts;
    this.name = parts.name;
    this.role = parts.role;
    this.machine = new Machine(parts.world.schedule, parts.name, parts.clock);
    this.start();
  }

  get isRunning(): boolean {
    return !this.machine.isDead;
  }

  /** Ends at once. @param downMs how long until it is started again */
  kill(downMs: number): void {
    if (!this.isRunning) return;
    this.machine.kill();
    this.forget();
    this.restart(downMs);
  }

  /** Stops in order, and then ends. */
  stop(downMs: number): void {
    const { machine, scope } = this;
    if (machine.isDead || !scope) return;
    this.port = undefined;
    this.parts.world.on(machine, () => {
      void scope.close().then(() => {
        if (this.machine === machine) this.kill(downMs);
      });
    });
  }

  /** While false, the process is not started again; afterwards, it is at once. */
  setMayStart(mayStart: boolean): void {
    this.mayStart = mayStart;
    if (mayStart && !this.isRunning) this.restart(RESTART_MS);
  }

  private restart(downMs: number): void {
    const { world } = this.parts;
    const { machine } = this;
    world.outside.after(downMs, () => {
      if (this.machine !== machine || !this.mayStart) return;
      this.machine = new Machine(world.schedule, this.name, this.parts.clock);
      this.start();
    });
  }

  private start(): void {
    const { machine } = this;
    const { world, trace, name } = this.parts;
    trace.note(name, 'starts');
    world.on(machine, () => {
      this.open().then(
        () => trace.note(name, 'is ready'),
        (error: Error) => {
          trace.note(name, `could not start: ${error.message}`);
          if (this.machine === machine) this.kill(RESTART_MS);
        },
      );
    });
  }

  private forget(): void {
    this.port = undefined;
    this.dashboard = undefined;
    this.scope = undefined;
    this.access = undefined;
  }

  private async open(): Promise<void> {
    const { role, machine } = this;
    const { store, access } = this.parts.openStore(machine);
    this.access = access;
    const log = this.log();
    const scope = new Scope(log);
    this.scope = scope;
    scope.add('store', () => store.close());
    const metrics = new Registry();
    const config = { ...readConfig({}, {}), mqttPort: 0, webSocketPingSeconds: 3_600, sessionSeconds: 3_600 };
    const readiness = await scope.open('readiness', Readiness.open(store, metrics, log));
    const polls = await scope.open('polls', PollBook.open(store.registry, log));
    const descriptors = new Descriptors({ limit: undefined, wanted: 0, metrics, log });
    // The type of a foundation names the two real implementations.
    const sessions = (async () => simulatedSessions()) as never;
    const token = async () => '';
    // There is no HTTP here.
    const [sockets, proxies] = [undefined as never, undefined as never];
    const foundation = {
      ...{ config, scope, store, series: undefined, polls, sessions, token, metrics, readiness, descriptors, sockets },
      ...{ log, proxies, tls: undefined },
    } as Foundation;
    const isAll = role === 'all';
    const results = role === 'processor' ? undefined : await scope.open('results', LiveResults.open(store, polls, log));
    if (this.machine !== machine) return;
    if (isAll || role === 'processor') await openProcessor(foundation);
    if ((isAll || role === 'dashboard') && results) {
      this.dashboard = await openRounds(foundation, results);
      this.parts.onDashboard(this.dashboard);
    }
    if ((isAll || role === 'broker') && results) this.port = (await openBroker(foundation, results)).port;
  }

  /** A log that notes warnings and errors in the trace. */
  private log(): Log {
    const { trace, name, onDefect } = this.parts;
    const write = (line: string): void => {
      const { msg, err, poll } = JSON.parse(line) as { msg?: string; err?: { message?: string }; poll?: string };
      trace.note(name, `${msg}${poll ? ` [${poll}]` : ''}${err?.message ? ` (${err.message})` : ''}`);
      if (DEFECTS.some((defect) => msg?.includes(defect))) onDefect(`${name}: ${line}`);
    };
    return pino({ level: 'warn', base: null }, { write });
  }
}

/** What a dashboard consists of, without its HTTP server. */
async function openRounds({ scope, store, polls, log, config }: Foundation, results: LiveResults): Promise<Dashboard> {
  const repository = new PollRepository(store.registry, polls);
  const { retentionDays } = config;
  const rounds = await scope.open('rounds', Rounds.open({ store, polls, repository, retentionDays, log }));
  await scope.open('clock', Clock.open(polls, rounds, log));
  const recounter = new Recounter({ store, results, repository, onOutcome: () => {}, log });
  await scope.open('recounts', RecountQueue.open({ results, polls, recounter, log }));
  return { repository, rounds, results, polls };
}
