import type { Definition } from '../kinds/definition.ts';
import type { OptionResult } from '../kinds/figures/option-result.ts';
import { kindOf } from '../kinds/index.ts';
import type { Base, Majority, Quorum } from '../rules/majority.ts';
import type { RoundRecord } from '../rules/record.ts';
import type { Roll } from '../rules/roll.ts';
import { parseShare, reaches } from '../rules/share.ts';
import { formatWeight, ONE, parseWeight, type Weight } from '../rules/weight.ts';

/** One condition of a majority or a quorum, and what was reached. `part` and `whole` are exact, as text. */
export interface Check {
  readonly share?: string;
  readonly number?: number;
  readonly of?: string;
  readonly by: string;
  readonly when?: 'open' | 'close';
  /**
   * What was reached: for a majority, the votes (or groups) for the option that is checked; for a quorum, those who took part.
   * Null if unknown.
   */
  readonly part: string | null;
  readonly whole: string | null;
  readonly met: boolean | null;
}

/** What the poll decided under its own rules. */
export interface Verdict {
  /** Whether the majority and, if there is one, the quorum were reached; null while that is unknown. */
  readonly adopted?: boolean | null;
  /** The option whose majority is checked: `yes` in a motion, otherwise the leading option. Null if no single option leads. */
  readonly option?: string | null;
  readonly majority?: readonly Check[];
  readonly quorum?: readonly Check[];
  /** Whether the quorum was reached. If not, the result is marked as inquorate, but otherwise unchanged. */
  readonly quorate?: boolean | null;
}

/** The figures that a verdict depends on, overall and by group. */
export interface VerdictInput {
  readonly options: readonly OptionResult[];
  readonly winners?: readonly string[] | undefined;
  /** The number and weight of all ballots. */
  readonly cast: { readonly heads: number; readonly weight: Weight };
  readonly groups: readonly { readonly options: readonly OptionResult[] }[];
}

/** The verdict of a round; undefined if the poll has neither majority nor quorum. */
export function verdictOf(definition: Definition, record: RoundRecord, figures: VerdictInput): Verdict | undefined {
  const { majority, quorum } = definition;
  const requirements = typeof majority === 'object' ? majority : undefined;
  if (!requirements && !quorum) return undefined;
  const quorumChecks = quorum ? quorumChecksOf(quorum, definition, record, figures) : undefined;
  const quorate = quorumChecks && all(quorumChecks);
  const [leader, ...others] = kindOf(definition).majorityOf === 'yes' ? ['yes'] : (figures.winners ?? []);
  const option = others.length > 0 ? undefined : leader;
  const majorityChecks = requirements?.map((one) => majorityCheckOf(one, option, definition, record, figures));
  return {
    ...(majorityChecks
      ? { adopted: both(all(majorityChecks), quorate), option: option ?? null, majority: majorityChecks }
      : {}),
    ...(quorumChecks ? { quorum: quorumChecks, quorate: quorate ?? null } : {}),
  };
}

function majorityCheckOf(
  { share, of, by }: Majority,
  option: string | undefined,
  definition: Definition,
  record: RoundRecord,
  figures: VerdictInput,
): Check {
  const unit = by ?? (definition.weighted ? 'weight' : 'heads');
  const condition = { share, of, by: unit };
  if (unit === 'groups') {
    const groups = figures.groups.filter(({ options }) => sum(options, 'heads') > 0n);
    const agreed = groups.filter(({ options }) => isAhead(options, option, definition));
    return checked(condition, BigInt(agreed.length) * ONE, BigInt(groups.length) * ONE);
  }
  const part = sum(
    figures.options.filter(({ key }) => key === option),
    unit,
  );
  return checked(condition, part, baseOf(of, unit, definition, record, figures));
}

/** Whether a group decided for the option: more than half of its votes, not counting abstentions, are for it. */
function isAhead(options: readonly OptionResult[], option: string | undefined, definition: Definition): boolean {
  const unit = definition.weighted ? 'weight' : 'heads';
  const votesFor = sum(
    options.filter(({ key }) => key === option),
    unit,
  );
  return (
    2n * votesFor >
    sum(
      options.filter((line) => !isAbstention(line, definition)),
      unit,
    )
  );
}

function quorumChecksOf(quorum: Quorum, definition: Definition, record: RoundRecord, figures: VerdictInput): Check[] {
  const { share, number, count = 'present', at = 'close', by } = quorum;
  const unit = by ?? (definition.weighted ? 'weight' : 'heads');
  const times = at === 'both' ? (['open', 'close'] as const) : [at];
  return times.map((when) => {
    const present = when === 'open' ? record.presentAtOpen : record.presentAtClose;
    const part = count === 'cast' ? castTotal(figures, unit) : rollSum(present, unit);
    if (number !== undefined) {
      const met = part === undefined ? null : part >= BigInt(number) * ONE;
      return { number, by: unit, when, part: text(part), whole: null, met };
    }
    return {
      ...checked({ share: share ?? '', of: 'entitled', by: unit }, part, entitled(definition, record, unit)),
      when,
    };
  });
}

function checked(condition: { share: string; of: string; by: string }, part?: Weight, whole?: Weight): Check {
  const threshold = parseShare(condition.share);
  const met = part === undefined || whole === undefined || !threshold ? null : reaches(part, whole, threshold);
  return { ...condition, part: text(part), whole: text(whole), met };
}

function baseOf(
  of: Base,
  unit: 'heads' | 'weight',
  definition: Definition,
  record: RoundRecord,
  figures: VerdictInput,
) {
  switch (of) {
    case 'yes+no':
    case 'valid':
      return sum(
        figures.options.filter((line) => !isAbstention(line, definition)),
        unit,
      );
    case 'cast':
      return castTotal(figures, unit);
    case 'present':
      return rollSum(record.presentAtClose, unit);
    case 'entitled':
      return entitled(definition, record, unit);
  }
}

function isAbstention({ key }: OptionResult, definition: Definition): boolean {
  return key === kindOf(definition).abstention?.(definition);
}

function castTotal({ cast }: VerdictInput, unit: 'heads' | 'weight'): Weight {
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

/** True if all checks are met, false if one is not, null if that is unknown. */
function all(checks: readonly Check[]): boolean | null {
  if (checks.some(({ met }) => met === false)) return false;
  return checks.some(({ met }) => met === null) ? null : true;
}

function both(a: boolean | null, b: boolean | null | undefined): boolean | null {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}
