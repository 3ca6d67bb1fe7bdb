import { bundlesOf } from '../../core/voting/count/cast.ts';
import type { Tally } from '../../core/voting/count/tally.ts';
import type { Definition, Draft, KindName } from '../../core/voting/kinds/definition.ts';
import { kindOf } from '../../core/voting/kinds/index.ts';
import { checkDefinition } from '../../core/voting/poll/check.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import type { RoundRecord } from '../../core/voting/rules/record.ts';
import { tieBreakerOf } from '../../core/voting/rules/tie.ts';

/** A checked definition with an option for each key. */
export function define<Name extends KindName>(
  kind: Name,
  keys: readonly string[] = [],
  settings: Partial<Draft> = {},
): Definition<Name> {
  const options = keys.map((key) => ({ key, label: `Option ${key}` }));
  const { definition, problems } = checkDefinition({ poll: 'q', title: 'Q?', kind, options, ...settings });
  if (problems.length > 0) throw new Error(problems.join('; '));
  return definition as Definition<Name>;
}

/** The figures of a tally. */
// biome-ignore lint/suspicious/noExplicitAny: tests read figures of every kind
export function resultOf(definition: Definition, tally: Tally, isFinal = true, lot?: readonly string[]): any {
  return resultWith(definition, tally, { lot }, isFinal);
}

/** The figures of a tally in a round with this record. */
// biome-ignore lint/suspicious/noExplicitAny: tests read figures of every kind
export function resultWith(definition: Definition, tally: Tally, record: RoundRecord, isFinal = true): any {
  const breaker = tieBreakerOf(definition, record);
  const withdrawn = new Set(record.withdrawals?.map(({ option }) => option));
  return kindOf(definition).result(definition, bundlesOf(tally), { isFinal, breaker, withdrawn });
}

/** Parses a profile such as `42 M>N>C>K; 26 N>C>K>M`: groups of equal ballots, separated by semicolons or line breaks. */
export function profile(text: string): Tally {
  const tally: Tally = new Map();
  for (const line of text.split(/[;\n]/).map((one) => one.trim())) {
    const [, times, choice = ''] = /^(\d+)\s*x?\s+(\S+)$/.exec(line) ?? [];
    if (times !== undefined) tally.set(choice, (tally.get(choice) ?? 0) + Number(times));
  }
  return tally;
}

/** The parsed choice, or the reason why it is rejected. */
export function parse(definition: Definition, text: string): string {
  const parsed = kindOf(definition).parse(text, definition);
  return typeof parsed === 'string' ? parsed : parsed.rejected;
}

/** A poll whose first round is over. */
export const pollOf = (definition: Definition, record: RoundRecord = {}): Poll => ({
  definition,
  status: 'closed',
  round: 1,
  createdAtMs: 0,
  ...record,
});

/** A roll of this many voters, without groups. */
export const roll = (heads: number, weight = String(heads)) => ({ heads, weight, groups: {} });

/** The counts of options by key. */
export const counts = (of: readonly { readonly key: string; readonly count: number }[]) =>
  Object.fromEntries(of.map(({ key, count }) => [key, count]));
