import { bundlesOf } from '../../core/voting/cast.ts';
import { checkDefinition } from '../../core/voting/definition.ts';
import { kinds } from '../../core/voting/kinds/index.ts';
import type { Definition, KindName } from '../../core/voting/poll.ts';
import type { Tally } from '../../core/voting/tally.ts';
import { tieBreakerOf } from '../../core/voting/tie.ts';

/** A definition that holds water; options are given as keys. */
export function define(kind: KindName, keys: readonly string[] = [], settings: Partial<Definition> = {}): Definition {
  const options = keys.map((key) => ({ key, label: `Option ${key}` }));
  const draft: Definition = { poll: 'q', title: 'Q?', kind, options, revote: 'last', visibility: 'live', ...settings };
  const { definition, problems } = checkDefinition(draft);
  if (problems.length > 0) throw new Error(problems.join('; '));
  return definition;
}

/** The result of ballots. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into figures of every kind
export function resultOf(definition: Definition, tally: Tally, isFinal = true, lot?: readonly string[]): any {
  const breaker = tieBreakerOf(definition, lot);
  return kinds[definition.kind].result(definition, bundlesOf(tally), { isFinal, breaker });
}

/** A profile as papers print it, `42 M>N>C>K`, one group of ballots a line or between semicolons. */
export function profile(text: string): Tally {
  const tally: Tally = new Map();
  for (const line of text.split(/[;\n]/).map((one) => one.trim())) {
    const [, times, choice = ''] = /^(\d+)\s*x?\s+(\S+)$/.exec(line) ?? [];
    if (times !== undefined) tally.set(choice, (tally.get(choice) ?? 0) + Number(times));
  }
  return tally;
}

/** What parsing says: the choice, or the reason for refusing it. */
export function parse(definition: Definition, text: string): string {
  const parsed = kinds[definition.kind].parse(text, definition);
  return typeof parsed === 'string' ? parsed : parsed.rejected;
}
