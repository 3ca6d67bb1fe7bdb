/** Whatever is stored when, and whoever takes over when: ballots, tallies and accounting are those of one fold of the log. */
import fc from 'fast-check';
import { Registry } from 'prom-client';
import t from 'tap';
import { createLog } from '../../../core/runtime/log.ts';
import type { Offset } from '../../../core/store/offset.ts';
import type { Ballot } from '../../../core/voting/count/ballot.ts';
import { VoteColumns } from '../../../core/voting/count/entries/columns.ts';
import type { Entry, VoteEntry } from '../../../core/voting/count/entry.ts';
import { fold } from '../../../core/voting/count/fold.ts';
import { packetOf } from '../../../core/voting/count/packet.ts';
import { differences } from '../../../core/voting/count/replay.ts';
import { roundKey } from '../../../core/voting/count/slice.ts';
import type { Revote } from '../../../core/voting/rules/settings.ts';
import { Counter } from '../../../processors/counting/counter.ts';
import type { BallotLimits } from '../../../processors/counting/open-rounds.ts';
import { processorMetrics } from '../../../processors/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { emptyState } from '../voting/count/logs.ts';
import { questionWith } from '../voting/question.ts';
import { MemoryStore } from './memory-store.ts';

const POLLS = ['p', 'q'] as const;
const VOTERS = Array.from({ length: 90 }, (_, i) => `d${i}`);

const aVote = fc
  .record({
    voter: fc.nat(VOTERS.length - 1),
    choice: fc.constantFrom('a', 'b', 'a|late', 'a|s5', 'a|s6', ''),
    n: fc.option(fc.nat(4), { nil: undefined, freq: 2 }),
    t: fc.option(fc.nat(9), { nil: undefined }),
    connection: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    packet: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    dup: fc.boolean(),
    mayRepeat: fc.boolean(),
  })
  .map(({ voter, packet, ...rest }) => {
    const device = VOTERS[voter] as string;
    return { ...rest, device, packet: packet === undefined ? undefined : packetOf(packet, rest.choice.length) };
  });
const somePart = fc.record({ poll: fc.constantFrom(...POLLS), votes: fc.array(aVote, { maxLength: 40 }) });
const aStep = fc.oneof(
  { weight: 12, arbitrary: fc.array(somePart, { maxLength: 2 }).map((parts) => ({ is: 'votes', parts }) as const) },
  { weight: 2, arbitrary: fc.constant({ is: 'again' } as const) },
  { weight: 1, arbitrary: fc.constantFrom(...POLLS).map((poll) => ({ is: 'close', poll }) as const) },
  { weight: 1, arbitrary: fc.constantFrom(...POLLS).map((poll) => ({ is: 'continue', poll }) as const) },
  { weight: 4, arbitrary: fc.constant({ is: 'restart' } as const) },
  { weight: 2, arbitrary: fc.constant({ is: 'rival' } as const) },
  { weight: 3, arbitrary: fc.constantFrom('before', 'after').map((when) => ({ is: 'fail', when }) as const) },
  { weight: 3, arbitrary: fc.constantFrom('late', 'lost').map((how) => ({ is: 'idle', how }) as const) },
  { weight: 4, arbitrary: fc.constant({ is: 'read' } as const) },
  { weight: 4, arbitrary: fc.constant({ is: 'wait' } as const) },
);
const someLimits = fc.record({
  votes: fc.integer({ min: 1, max: 200 }),
  ms: fc.constantFrom(0, 1, 5, 10_000),
  inMemory: fc.constantFrom(0, 50, 1_000),
});

t.test('the count does not depend on checkpoints, crashes and take-overs', async () => {
  const aRevote = fc.constantFrom<Revote>('last', 'first', 'max 2');
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { maxLength: 40 }), aRevote, someLimits, async (steps, revote, limits) => {
      const run = new Run(revote, limits);
      await run.open();
      try {
        for (const step of steps) await run.take(step);
        await run.finish();
      } finally {
        await run.close();
      }
    }),
    { numRuns: 60 },
  );
});

type Step = typeof aStep extends fc.Arbitrary<infer One> ? One : never;

class Run {
  private readonly memory = new MemoryStore();
  private readonly revote: Revote;
  private readonly limits: BallotLimits;
  private readonly counters: Counter[] = [];
  private readonly interruptions = new Map<string, number>(POLLS.map((poll) => [poll, 0]));
  private sequence = 0;
  private last: VoteEntry | undefined;

  constructor(revote: Revote, limits: BallotLimits) {
    this.revote = revote;
    this.limits = limits;
  }

  async open(): Promise<void> {
    for (const poll of POLLS) this.memory.append(this.marker('open', poll));
    await this.startCounter();
  }

  async take(step: Step): Promise<void> {
    if (step.is === 'votes') {
      const rounds = step.parts.map(({ poll, votes }) => ({
        poll,
        round: 1,
        votes: VoteColumns.of(votes),
        rejected: {},
      }));
      const at = { producer: `run-${this.sequence % 3}`, sequence: this.sequence++, atMs: 100 + this.sequence };
      this.last = { type: 'votes', ...at, rounds, refused: { empty: 1 } };
      this.memory.append(this.last);
    } else if (step.is === 'again') {
      if (this.last) this.memory.append(this.last);
    } else if (step.is === 'close') this.memory.append(this.marker('close', step.poll));
    else if (step.is === 'continue') {
      this.interruptions.set(step.poll, (this.interruptions.get(step.poll) ?? 0) + 1);
      this.memory.append(this.marker('open', step.poll));
    } else if (step.is === 'restart') {
      await this.close();
      await this.startCounter();
    } else if (step.is === 'rival') {
      if (this.counters.length < 2) await this.startCounter();
    } else if (step.is === 'fail') this.memory.failures.push(step.when);
    else if (step.is === 'idle') this.memory.idleFailures.push(step.how);
    else if (step.is === 'read') await this.read();
    else await new Promise((resolve) => setTimeout(resolve, 3));
  }

  /** Waits until everything is counted, and compares everything, with and without counters. */
  async finish(): Promise<void> {
    this.memory.failures.length = 0;
    this.memory.idleFailures.length = 0;
    const last = this.memory.entries.at(-1)?.offset;
    const { counts } = this.memory.store;
    await eventually('the count', async () => ((await counts.position(0)).offset === last ? true : undefined));
    await this.read();
    await this.close();
    await this.read();
    const { refused, producers, offset } = await counts.position(0);
    const state = this.folded(offset);
    t.same(refused, state.refused);
    t.same([...producers], [...state.producers]);
    for (const poll of POLLS) {
      t.same(differences(await counts.slice(0, poll, 1), state.slices.get(roundKey(poll, 1))), []);
    }
  }

  async close(): Promise<void> {
    for (const counter of this.counters.splice(0)) await counter.close();
  }

  /** Ballots that are read must be those of one place of the log, between the positions before and after. */
  private async read(): Promise<void> {
    const { counts, ballots } = this.memory.store;
    for (const poll of POLLS) {
      const { offset: before } = await counts.position(0);
      const all = new Map<string, Ballot>();
      for await (const [voter, ballot] of ballots.all(0, poll, 1)) all.set(voter, ballot);
      const one = await ballots.of(0, poll, 1, VOTERS);
      const { offset: after } = await counts.position(0);
      const between = this.memory.entries.map(({ offset }) => offset);
      const [from, to] = [between.indexOf(before), between.indexOf(after)];
      const places = ['0-0', ...between].slice(from + 1, to + 2);
      const isOfPlace = (found: readonly (Ballot | undefined)[]) =>
        places.some((offset) => {
          const table = this.folded(offset).ballots.get(roundKey(poll, 1));
          return JSON.stringify(VOTERS.map((voter) => table?.ballotOf(voter))) === JSON.stringify(found);
        });
      t.ok(isOfPlace(VOTERS.map((voter) => all.get(voter))), 'all ballots are those of one place of the log');
      t.ok(isOfPlace(one), 'the ballots of given voters as well');
    }
  }

  private folded(offset: Offset) {
    const state = emptyState();
    fold(state, this.memory.until(offset));
    return state;
  }

  private marker(type: 'open' | 'close', poll: string): Entry {
    const interruptions = Array.from({ length: this.interruptions.get(poll) ?? 0 }, () => ({
      ...{ closedAtMs: 1, continuedAtMs: 2 },
    }));
    const record = interruptions.length > 0 ? { interruptions } : undefined;
    const definition = questionWith({ poll, revote: this.revote });
    return type === 'open'
      ? { type, poll, round: 1, atMs: 1, definition, record }
      : { type, poll, round: 1, atMs: 1, record };
  }

  private async startCounter(): Promise<void> {
    const metrics = processorMetrics(new Registry());
    const parts = { store: this.memory.store, partitions: () => [0], metrics, log: createLog('silent') };
    this.counters.push(await Counter.open({ ...parts, limits: this.limits }));
  }
}
