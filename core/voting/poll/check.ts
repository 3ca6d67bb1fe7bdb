import { MAX_CHOICE_BYTES } from '../count/cast.ts';
import { WITHDRAW } from '../count/vote.ts';
import type { Definition, Draft } from '../kinds/definition.ts';
import { kindOf } from '../kinds/index.ts';
import { type Counted, MAJORITIES } from '../rules/majority.ts';
import { optionProblems } from '../rules/option.ts';
import { allowedVisibilities, MAX_TITLE_LENGTH, votesAllowed } from '../rules/settings.ts';
import { parseShare, SHARE_RULE } from '../rules/share.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../rules/text/identifier.ts';
import { textProblems } from '../rules/text/printable.ts';
import { parseWeight, WEIGHT_RULE } from '../rules/weight.ts';
import { kindSettings, withDefaults } from './definition.ts';

const MAX_SEED_LENGTH = 200;
const MAX_GROUPS = 100;
const MAX_REQUIREMENTS = 10;
/** The maximum duration of a round in ms: one week. */
const MAX_DURATION_MS = 7 * 24 * 3_600_000;
/** The maximum time in ms to wait for late votes: one hour. */
const MAX_GRACE_MS = 3_600_000;

/** A timestamp with a time zone. Without a time zone, its meaning would depend on the machine. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Fills in the defaults of a draft and lists all its problems, so that the author can fix them in one go. Each problem starts
 * with the name of the field.
 */
export function checkDefinition(draft: Draft): { definition: Definition; problems: string[] } {
  const written = withDefaults(draft);
  const kind = kindOf(written);
  const definition = withMajority(kind.complete(written));
  const problems = [
    ...idProblems(definition),
    ...textProblems('title', definition.title, MAX_TITLE_LENGTH),
    ...optionProblems('options', definition.options),
    ...settingProblems(written),
    ...kind.problems(definition),
    ...ruleProblems(definition),
    ...electorateProblems(definition),
    ...majorityProblems(definition),
    ...quorumProblems(definition),
    ...timingProblems(definition),
  ];
  return { definition, problems: problems.length > 0 ? problems : ballotProblems(definition) };
}

/** Reports a poll in which a voter could fill in a ballot that is too long to be stored. */
function ballotProblems(definition: Definition): string[] {
  const { choice, follows } = kindOf(definition).fullest(definition);
  const bytes = new TextEncoder().encode(choice).length;
  if (bytes <= MAX_CHOICE_BYTES) return [];
  return [
    `${follows}: a full ballot would take ${bytes} bytes, but at most ${MAX_CHOICE_BYTES} can be stored; allow fewer or shorter answers (shorter keys, a lower maximum)`,
  ];
}

/** Expands a named majority into its conditions. */
function withMajority(definition: Definition): Definition {
  const { majority } = definition;
  if (typeof majority !== 'string' || !Object.hasOwn(MAJORITIES, majority)) return definition;
  const { majorityOf } = kindOf(definition);
  // In polls without yes and no, the share is of the valid ballots.
  const conditions = MAJORITIES[majority]?.map((one) =>
    one.of === 'yes+no' && majorityOf !== 'yes' ? { ...one, of: 'valid' as const } : one,
  );
  return { ...definition, majority: conditions };
}

function idProblems({ poll, room }: Definition): string[] {
  const problems: string[] = [];
  if (!isIdentifier(poll)) problems.push(`poll: must be ${IDENTIFIER_RULE}`);
  if (room !== undefined && !isIdentifier(room)) problems.push(`room: must be ${IDENTIFIER_RULE}`);
  return problems;
}

/** Reports settings of other kinds, and fractions where whole numbers are required. */
function settingProblems(written: Definition): string[] {
  const { kind } = written;
  const own = kindOf(written).settings.properties as Readonly<Record<string, { readonly type?: string }>>;
  return Object.entries(written).flatMap(([field, value]) => {
    if (value === undefined || !kindSettings.has(field)) return [];
    if (!Object.hasOwn(own, field)) return [`${field}: polls of kind ${kind} have no such setting`];
    const isWrong = own[field]?.type === 'integer' && !Number.isSafeInteger(value);
    return isWrong ? [`${field}: must be a whole number, not ${value}`] : [];
  });
}

function ruleProblems({
  options,
  revote,
  withdraw,
  secrecy,
  visibility,
  minGroup,
  tieBreak,
  seed,
}: Definition): string[] {
  const problems: string[] = [];
  const allowed = votesAllowed(revote);
  if (allowed === undefined) problems.push('revote: must be last, first or "max n", where n is from 1 to 999');
  if (withdraw && allowed === 1) problems.push('withdraw: needs a revote rule that lets voters vote more than once');
  if (withdraw && options.some(({ key }) => key === WITHDRAW)) {
    problems.push(`withdraw: ${WITHDRAW} withdraws a ballot, so it cannot be the key of an option`);
  }
  const visibilities = allowedVisibilities({ secrecy });
  if (!visibilities.includes(visibility)) {
    problems.push(
      `visibility: live results of a secret poll would reveal who voted for what; use ${visibilities.join(', ')}`,
    );
  }
  if (minGroup !== undefined && (secrecy !== 'secret' || minGroup < 2 || minGroup > 1_000)) {
    problems.push('minGroup: must be from 2 to 1000, and is only allowed in secret polls');
  }
  if (seed !== undefined) problems.push(...textProblems('seed', seed, MAX_SEED_LENGTH));
  if (seed !== undefined && tieBreak !== 'lot') problems.push('seed: only allowed with tieBreak lot');
  return problems;
}

function electorateProblems({ eligible = 'anyone', entitled, secrecy, byGroup }: Definition): string[] {
  const problems: string[] = [];
  if (secrecy === 'secret' && byGroup && (eligible === 'anyone' || eligible === 'guests')) {
    problems.push(
      'byGroup: a secret poll must know how large each group is; set eligible to registered or to a list of groups',
    );
  }
  if (Array.isArray(eligible)) {
    if (eligible.length < 1 || eligible.length > MAX_GROUPS)
      problems.push(`eligible: must list 1 to ${MAX_GROUPS} groups`);
    for (const group of eligible) {
      if (!isIdentifier(group)) {
        problems.push(`eligible: ${JSON.stringify(group)} is not a valid group id; must be ${IDENTIFIER_RULE}`);
      }
    }
  }
  const { heads, weight } = entitled ?? {};
  if (heads !== undefined && !(Number.isSafeInteger(heads) && heads > 0)) {
    problems.push(`entitled.heads: must be a whole number above 0, not ${heads}`);
  }
  if (weight !== undefined && parseWeight(weight) === undefined) {
    problems.push(`entitled.weight: must be ${WEIGHT_RULE}`);
  }
  return problems;
}

/** Whether the number of eligible voters, or their total weight, is known. */
function isCountable({ eligible = 'anyone', entitled, weighted }: Definition, by: Counted | undefined): boolean {
  const stated = (by ?? (weighted ? 'weight' : 'heads')) === 'weight' ? entitled?.weight : entitled?.heads;
  return stated !== undefined || (eligible !== 'anyone' && eligible !== 'guests');
}

const UNCOUNTABLE =
  'the size of the electorate is unknown; set eligible to registered or to a list of groups, or state the size in entitled';

function majorityProblems(definition: Definition): string[] {
  const { majority, byGroup, weighted } = definition;
  if (majority === undefined) return [];
  if (typeof majority === 'string') {
    return [`majority: must be one of ${Object.keys(MAJORITIES).join(', ')}, or a list of conditions`];
  }
  const { majorityOf } = kindOf(definition);
  const problems: string[] = [];
  if (!majorityOf) problems.push('majority: only allowed in motions and single-choice polls');
  if (majority.length < 1 || majority.length > MAX_REQUIREMENTS) {
    problems.push(`majority: must have 1 to ${MAX_REQUIREMENTS} conditions`);
  }
  for (const [i, { share, of, by }] of majority.entries()) {
    const at = `majority[${i}]`;
    if (!parseShare(share)) problems.push(`${at}.share: must be ${SHARE_RULE}`);
    if (of === 'yes+no' && majorityOf !== 'yes') problems.push(`${at}.of: yes+no is only for motions; use valid`);
    if (of === 'entitled' && by !== 'groups' && !isCountable(definition, by)) problems.push(`${at}.of: ${UNCOUNTABLE}`);
    if (by === 'groups' && !byGroup) problems.push(`${at}.by: groups can only be counted if byGroup is set`);
    if (by === 'weight' && !weighted) problems.push(`${at}.by: weights can only be counted if weighted is set`);
  }
  return problems;
}

function quorumProblems(definition: Definition): string[] {
  const { quorum, weighted } = definition;
  if (!quorum) return [];
  const { share, number, count = 'present', at = 'close', by } = quorum;
  const problems: string[] = [];
  if ((share === undefined) === (number === undefined)) problems.push('quorum: must have either a share or a number');
  if (share !== undefined && !parseShare(share)) problems.push(`quorum.share: must be ${SHARE_RULE}`);
  if (share !== undefined && !isCountable(definition, by)) problems.push(`quorum.share: ${UNCOUNTABLE}`);
  if (number !== undefined && number < 1) problems.push(`quorum.number: must be at least 1, not ${number}`);
  if (count === 'cast' && at !== 'close') problems.push('quorum.at: ballots can only be counted at the close');
  if (by === 'weight' && !weighted) problems.push('quorum.by: weights can only be counted if weighted is set');
  return problems;
}

function timingProblems({ opensAt, closesAt, durationMs, lateGraceMs }: Definition): string[] {
  const problems: string[] = [];
  for (const [field, time] of Object.entries({ opensAt, closesAt })) {
    if (time !== undefined && !(TIMESTAMP.test(time) && Number.isFinite(Date.parse(time)))) {
      problems.push(
        `${field}: must be a timestamp with a time zone, such as 2026-05-01T18:30:00Z, not ${JSON.stringify(time)}`,
      );
    }
  }
  if (opensAt !== undefined && closesAt !== undefined && Date.parse(closesAt) <= Date.parse(opensAt)) {
    problems.push('closesAt: must be after opensAt');
  }
  if (durationMs !== undefined && (durationMs < 1_000 || durationMs > MAX_DURATION_MS)) {
    problems.push(`durationMs: must be from 1000 to ${MAX_DURATION_MS}, not ${durationMs}`);
  }
  if (lateGraceMs !== undefined && (lateGraceMs < 0 || lateGraceMs > MAX_GRACE_MS)) {
    problems.push(`lateGraceMs: must be from 0 to ${MAX_GRACE_MS}, not ${lateGraceMs}`);
  }
  return problems;
}
