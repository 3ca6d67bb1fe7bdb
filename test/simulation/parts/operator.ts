import { Refusal } from '../../../core/runtime/refusal.ts';
import { StoreError } from '../../../core/store/error.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import type { Trace } from '../checks/trace.ts';
import type { Random } from '../world/random.ts';
import type { World } from '../world/world.ts';
import type { Deployment } from './deployment.ts';
import type { Dashboard } from './process.ts';

/** Usual time in ms between two actions. */
const ACT_EVERY_MS = 15_000;
/** How soon an operator acts after something has gone wrong: the worst moment. */
const WORST_MS = 1_000;

interface OperatorParts {
  readonly world: World;
  readonly random: Random;
  readonly deployment: Deployment;
  readonly polls: readonly string[];
  readonly trace: Trace;
  /** Called with an error that is no refusal and no failure of the store. */
  readonly onDefect: (line: string) => void;
}

/** Creates polls, and opens, closes and continues their rounds, at any moment and at any dashboard. */
export class Operator {
  private readonly parts: OperatorParts;
  private isActive = true;

  constructor(parts: OperatorParts) {
    this.parts = parts;
    this.later(1_000, () => this.act());
  }

  /** Something has gone wrong. */
  provoke(): void {
    const { random } = this.parts;
    if (this.isActive && random.chance(0.4)) this.later(random.exponential(WORST_MS), () => this.step());
  }

  /** From now on, only closes what is open, until nothing is. */
  finish(): void {
    this.isActive = false;
  }

  /** What is stored about the polls. */
  get documents(): readonly Poll[] {
    return this.parts.deployment.database.list<Poll>('polls').map(({ value }) => value);
  }

  private act(): void {
    const { random } = this.parts;
    this.later(this.isActive ? 200 + random.exponential(ACT_EVERY_MS) : 2_000, () => this.act());
    this.step();
  }

  private step(): void {
    const { random, polls } = this.parts;
    const poll = random.pick(polls);
    if (this.isActive)
      return this.change(
        poll,
        this.documents.find(({ definition }) => definition.poll === poll),
      );
    for (const document of this.documents) {
      const { status, definition } = document;
      if (status === 'open' || status === 'grace') this.change(definition.poll, document);
    }
  }

  private change(poll: string, document: Poll | undefined): void {
    const { random } = this.parts;
    switch (document?.status) {
      case undefined:
        return this.ask(`create ${poll}`, ({ repository }) => repository.create(this.draft(poll)));
      case 'draft':
        return this.ask(`open ${poll}`, ({ rounds }) => rounds.openRound(poll, 'draft'));
      case 'closed':
        if (random.chance(0.4)) return this.ask(`continue ${poll}`, ({ rounds }) => rounds.continueRound(poll));
        return this.ask(`reopen ${poll}`, ({ rounds }) => rounds.openRound(poll, 'closed'));
      default:
        return this.ask(`close ${poll}`, ({ rounds }) => rounds.closeRound(poll));
    }
  }

  private draft(poll: string) {
    const { random } = this.parts;
    const options = ['a', 'b', 'c', 'd'].map((key) => ({ key, label: key.toUpperCase() }));
    return {
      ...{ poll, title: `Which one? (${poll})`, options, visibility: 'live' as const },
      revote: random.pick(['last', 'last', 'last', 'first', 'max 3'] as const),
      ...(random.chance(0.3) ? { durationMs: random.integer(5_000, 60_000) } : {}),
      ...(random.chance(0.2) ? { lateGraceMs: random.integer(1_000, 20_000) } : {}),
    };
  }

  private ask(what: string, work: (dashboard: Dashboard) => Promise<unknown>): void {
    const { world, random, deployment, trace, onDefect } = this.parts;
    const { dashboards } = deployment;
    if (dashboards.length === 0) return;
    const { machine, name, dashboard } = random.pick(dashboards);
    trace.note('operator', `${what} at ${name}`);
    world.on(machine, () => {
      work(dashboard).then(
        () => trace.note('operator', `${what}: done`),
        (error: Error) => {
          trace.note('operator', `${what}: ${error.message}`);
          if (!(error instanceof Refusal) && !(error instanceof StoreError)) onDefect(`${what}: ${error.stack}`);
        },
      );
    });
  }

  private later(ms: number, what: () => void): void {
    this.parts.world.outside.after(ms, what);
  }
}
