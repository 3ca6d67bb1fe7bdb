import type { OptionResult } from './kinds/kind.ts';
import type { Definition, RoundRecord } from './poll.ts';
import type { Roll } from './roll.ts';
import { type Base, type Majority, parseShare, type Quorum, reaches } from './rules.ts';
import { formatWeight, ONE, parseWeight, type Weight } from './weight.ts';

/** One thing a majority or a quorum asks for, and what there was. Figures are exact, as text. */
export interface Test {
  readonly share?: string;
  readonly number?: number;
  readonly of?: string;
  readonly by: string;
  readonly when?: 'open' | 'close';
  /** What it is about: for the motion or the leading option; of a quorum, who took part. Null: not known. */
  readonly part: string | null;
  readonly whole: string | null;
  readonly met: boolean | null;
}

/** What a poll decided by its own rules. */
export interface Verdict {
  /** Whether the majority was reached, in a poll that has a quorum, with enough taking part; null while it is not known. */
  readonly adopted?: boolean | null;
  /** What it is about: `yes` of a motion, else the option that leads. */
  readonly option?: string | null;
  readonly majority?: readonly Test[];
  readonly quorum?: readonly Test[];
  /** Whether enough took part. The result stands as it is, marked. */
  readonly quorate?: boolean | null;
}

/** What a verdict goes by: the result of the whole and of each group. */
export interface Figures {
  readonly options: readonly OptionResult[];
  readonly winners?: readonly string[] | undefined;
  /** Heads and weight of all ballots. */
  readonly cast: { readonly heads: number; readonly weight: Weight };
  readonly groups: readonly { readonly options: readonly OptionResult[] }[];
}

/** The verdict of a round; undefined where the poll has neither majority nor quorum. */
export function verdictOf(definition: Definition, record: RoundRecord, figures: Figures): Verdict | undefined {
  const { majority, quorum, kind } = definition;
  const requirements = typeof majority === 'object' ? majority : undefined;
  if (!requirements && !quorum) return undefined;
  const quorumTests = quorum ? testsOfQuorum(quorum, definition, record, figures) : undefined;
  const quorate = quorumTests && all(quorumTests);
  const [leader, ...others] = kind === 'motion' ? ['yes'] : (figures.winners ?? []);
  const option = others.length > 0 ? undefined : leader;
  const majorityTests = requirements?.map((one) => testOfMajority(one, option, definition, record, figures));
  return {
    ...(majorityTests
      ? { adopted: both(all(majorityTests), quorate), option: option ?? null, majority: majorityTests }
      : {}),
    ...(quorumTests ? { quorum: quorumTests, quorate: quorate ?? null } : {}),
  };
}

function testOfMajority(
  { share, of, by }: Majority,
  option: string | undefined,
  definition: Definition,
  record: RoundRecord,
  figures: Figures,
): Test {
  const unit = by ?? (definition.weighted ? 'weight' : 'heads');
  const asked = { share, of, by: unit };
  if (unit === 'groups') {
    const groups = figures.groups.filter(({ options }) => sum(options, 'heads') > 0n);
    const agreed = groups.filter(({ options }) => isAhead(options, option, definition));
    return tested(asked, BigInt(agreed.length) * ONE, BigInt(groups.length) * ONE);
  }
  const part = sum(
    figures.options.filter(({ key }) => key === option),
    unit,
  );
  return tested(asked, part, baseOf(of, unit, definition, record, figures));
}

/** Whether a group decided for the option: it has more than half of the group's ballots that do not abstain. */
function isAhead(options: readonly OptionResult[], option: string | undefined, definition: Definition): boolean {
  const unit = definition.weighted ? 'weight' : 'heads';
  const pro = sum(
    options.filter(({ key }) => key === option),
    unit,
  );
  return (
    2n * pro >
    sum(
      options.filter((line) => !isAbstention(line, definition)),
      unit,
    )
  );
}

function testsOfQuorum(quorum: Quorum, definition: Definition, record: RoundRecord, figures: Figures): Test[] {
  const { share, number, count = 'present', at = 'close', by } = quorum;
  const unit = by ?? (definition.weighted ? 'weight' : 'heads');
  const times = at === 'both' ? (['open', 'close'] as const) : [at];
  return times.map((when) => {
    const present = when === 'open' ? record.presentAtOpen : record.presentAtClose;
    const part = count === 'cast' ? castOf(figures, unit) : rollSum(present, unit);
    if (number !== undefined) {
      const met = part === undefined ? null : part >= BigInt(number) * ONE;
      return { number, by: unit, when, part: text(part), whole: null, met };
    }
    return {
      ...tested({ share: share ?? '', of: 'entitled', by: unit }, part, entitled(definition, record, unit)),
      when,
    };
  });
}

function tested(asked: { share: string; of: string; by: string }, part?: Weight, whole?: Weight): Test {
  const threshold = parseShare(asked.share);
  const met = part === undefined || whole === undefined || !threshold ? null : reaches(part, whole, threshold);
  return { ...asked, part: text(part), whole: text(whole), met };
}

function baseOf(of: Base, unit: 'heads' | 'weight', definition: Definition, record: RoundRecord, figures: Figures) {
  switch (of) {
    case 'yes+no':
    case 'valid':
      return sum(
        figures.options.filter((line) => !isAbstention(line, definition)),
        unit,
      );
    case 'cast':
      return castOf(figures, unit);
    case 'present':
      return rollSum(record.presentAtClose, unit);
    case 'entitled':
      return entitled(definition, record, unit);
  }
}

function isAbstention({ key }: OptionResult, { kind, none }: Definition): boolean {
  return kind === 'motion' ? key === 'abstain' : none === true && key === 'none';
}

function castOf({ cast }: Figures, unit: 'heads' | 'weight'): Weight {
  return unit === 'heads' ? BigInt(cast.heads) * ONE : cast.weight;
}

function entitled({ entitled: stated }: Definition, { electorate }: RoundRecord, unit: 'heads' | 'weight') {
  if (unit === 'heads' && stated?.heads !== undefined) return BigInt(stated.heads) * ONE;
  if (unit === 'weight' && stated?.weight !== undefined) return parseWeight(stated.weight);
  return rollSum(electorate, unit);
}

function rollSum(roll: Roll | undefined, unit: 'heads' | 'weight'): Weight | undefined {
  if (!roll) return undefined;
  return unit === 'heads' ? BigInt(roll.heads) * ONE : (parseWeight(roll.weight) ?? 0n);
}

function sum(options: readonly OptionResult[], unit: 'heads' | 'weight'): Weight {
  return options.reduce((total, { count, weight }) => {
    if (unit === 'weight' && weight !== undefined) return total + (parseWeight(weight) ?? 0n);
    return total + BigInt(count ?? 0) * ONE;
  }, 0n);
}

function text(weight: Weight | undefined): string | null {
  return weight === undefined ? null : formatWeight(weight);
}

/** True when all are met, false when one is not, null when that is not known. */
function all(tests: readonly Test[]): boolean | null {
  if (tests.some(({ met }) => met === false)) return false;
  return tests.some(({ met }) => met === null) ? null : true;
}

function both(a: boolean | null, b: boolean | null | undefined): boolean | null {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}
