import { IDENTIFIER_RULE, isIdentifier } from './identifier.ts';
import { kinds } from './kinds/index.ts';
import type { Definition, KindSettings, Option } from './poll.ts';
import { type By, MAJORITIES, type Majority, parseShare, SHARE_RULE, votesAllowed } from './rules.ts';
import { parseWeight, WEIGHT_RULE } from './weight.ts';

export const MAX_OPTIONS = 100;
export const MAX_TITLE_LENGTH = 300;
export const MAX_LABEL_LENGTH = 200;
const MAX_PHRASE_LENGTH = 200;
const MAX_UNIT_LENGTH = 20;
const MAX_SEED_LENGTH = 200;
const MAX_GROUPS = 100;
const MAX_REQUIREMENTS = 10;
/** The longest a round may be set to last, ms: a week. */
const MAX_DURATION_MS = 7 * 24 * 3_600_000;
/** The longest that votes pressed before the close are waited for, ms. */
const MAX_GRACE_MS = 3_600_000;

/** Control characters, and the bidirectional controls that make a text read differently from what it says. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u061c]/u;
/** An instant with its zone: without one, it would be another instant on each machine. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

const KIND_SETTINGS = new Set<keyof KindSettings>(Object.values(kinds).flatMap(({ settings }) => settings));

/**
 * Fills in the defaults of a definition and lists everything that is wrong with it, so that its author
 * can mend all of it at once. Each problem is a sentence that begins with the field's name.
 */
export function checkDefinition(draft: Definition): { definition: Definition; problems: string[] } {
  const kind = kinds[draft.kind];
  const definition = withMajority(kind.complete(draft));
  const problems = [
    ...idProblems(definition),
    ...textProblems('title', definition.title, MAX_TITLE_LENGTH),
    ...optionProblems('options', definition.options),
    ...settingProblems(draft),
    ...gradeProblems(definition),
    ...kindTextProblems(definition),
    ...kind.problems(definition),
    ...ruleProblems(definition),
    ...electorateProblems(definition),
    ...majorityProblems(definition),
    ...quorumProblems(definition),
    ...timingProblems(definition),
  ];
  return { definition, problems };
}

/** The definition without settings that its kind has not: for a draft whose kind was changed. */
export function withoutForeignSettings(definition: Definition): Definition {
  const own = new Set<string>(kinds[definition.kind].settings);
  const kept = Object.entries(definition).filter(
    ([field]) => own.has(field) || !KIND_SETTINGS.has(field as keyof KindSettings),
  );
  return Object.fromEntries(kept) as unknown as Definition;
}

/** A definition as people who are not operators may know it: without the right answers, and what is only operators'. */
export function publicDefinition(definition: Definition): Definition {
  const { correct, accept, answer, tolerance, proximity, stop, moderation, ...open } = definition;
  return open;
}

/** A majority that has a name is spelled out. */
function withMajority(definition: Definition): Definition {
  const { majority, kind } = definition;
  if (typeof majority !== 'string' || !Object.hasOwn(MAJORITIES, majority)) return definition;
  const named = MAJORITIES[majority] as readonly Majority[];
  // Where there is no yes and no, a majority is one of the valid ballots.
  const fitting = named.map((one) =>
    one.of === 'yes+no' && kind !== 'motion' ? { ...one, of: 'valid' as const } : one,
  );
  return { ...definition, majority: fitting };
}

function idProblems({ poll, room }: Definition): string[] {
  const problems: string[] = [];
  if (!isIdentifier(poll)) problems.push(`poll: must be ${IDENTIFIER_RULE}`);
  if (room !== undefined && !isIdentifier(room)) problems.push(`room: must be ${IDENTIFIER_RULE}`);
  return problems;
}

function optionProblems(field: string, options: readonly Option[]): string[] {
  const problems: string[] = [];
  if (options.length > MAX_OPTIONS) problems.push(`${field}: at most ${MAX_OPTIONS}, not ${options.length}`);
  const seen = new Set<string>();
  for (const [i, { key, label }] of options.slice(0, MAX_OPTIONS).entries()) {
    if (!isIdentifier(key)) problems.push(`${field}[${i}].key: must be ${IDENTIFIER_RULE}`);
    if (seen.has(key)) problems.push(`${field}[${i}].key: ${JSON.stringify(key)} is there twice`);
    seen.add(key);
    problems.push(...textProblems(`${field}[${i}].label`, label, MAX_LABEL_LENGTH));
  }
  return problems;
}

/** Only numbers have parts: ranks, grades and numbers of options are whole. */
function gradeProblems({ kind, min, max }: Definition): string[] {
  if (kind === 'numeric') return [];
  return Object.entries({ min, max })
    .filter(([, value]) => value !== undefined && !Number.isSafeInteger(value))
    .map(([field, value]) => `${field}: must be a whole number, not ${value}`);
}

function settingProblems({ kind, ...draft }: Definition): string[] {
  const own = new Set<string>(kinds[kind].settings);
  return [...KIND_SETTINGS]
    .filter((field) => draft[field] !== undefined && !own.has(field))
    .map((field) => `${field}: a poll of the kind ${kind} has no such setting`);
}

function kindTextProblems({ items, unit, stop = [], accept = [], moderation }: Definition): string[] {
  const { hide = [], merge = {} } = moderation ?? {};
  const phrases = { stop, accept, 'moderation.hide': hide, 'moderation.merge': Object.entries(merge).flat() };
  const problems = optionProblems('items', items ?? []);
  if (unit !== undefined) problems.push(...textProblems('unit', unit, MAX_UNIT_LENGTH));
  for (const [field, texts] of Object.entries(phrases)) {
    for (const [i, text] of texts.entries()) problems.push(...textProblems(`${field}[${i}]`, text, MAX_PHRASE_LENGTH));
  }
  return problems;
}

function ruleProblems({
  revote,
  withdraw,
  secrecy,
  visibility,
  minGroup,
  tieBreak,
  seed,
  speed,
  durationMs,
}: Definition) {
  const problems: string[] = [];
  const allowed = votesAllowed(revote);
  if (allowed === undefined) problems.push('revote: last, first, or "max n" with n from 1 to 999');
  if (withdraw && allowed === 1) problems.push('withdraw: needs a revote rule under which a voter may vote again');
  if (secrecy === 'secret' && (visibility === 'live' || visibility === 'voted')) {
    problems.push(
      'visibility: while a secret poll is open its figures would tell who voted what; closed, turnout or operator',
    );
  }
  if (minGroup !== undefined && (secrecy !== 'secret' || minGroup < 2 || minGroup > 1_000)) {
    problems.push('minGroup: from 2 to 1000, for secret polls');
  }
  if (seed !== undefined) problems.push(...textProblems('seed', seed, MAX_SEED_LENGTH));
  if (seed !== undefined && tieBreak !== 'lot') problems.push('seed: only with tieBreak lot');
  if (speed && durationMs === undefined) problems.push('speed: needs durationMs, the time that the slowest has');
  return problems;
}

function electorateProblems({ eligible = 'anyone', entitled, secrecy, byGroup }: Definition): string[] {
  const problems: string[] = [];
  if (secrecy === 'secret' && byGroup && (eligible === 'anyone' || eligible === 'guests')) {
    problems.push(
      'byGroup: in a secret poll groups are told by their size at the opening; set eligible to registered or groups',
    );
  }
  if (Array.isArray(eligible)) {
    if (eligible.length < 1 || eligible.length > MAX_GROUPS) problems.push(`eligible: from 1 to ${MAX_GROUPS} groups`);
    for (const group of eligible) {
      if (!isIdentifier(group))
        problems.push(`eligible: ${JSON.stringify(group)} is no group; must be ${IDENTIFIER_RULE}`);
    }
  }
  const { heads, weight } = entitled ?? {};
  if (heads !== undefined && !(Number.isSafeInteger(heads) && heads > 0)) {
    problems.push(`entitled.heads: must be a whole number above 0, not ${heads}`);
  }
  if (weight !== undefined && parseWeight(weight) === undefined)
    problems.push(`entitled.weight: must be ${WEIGHT_RULE}`);
  return problems;
}

/** Whether it can be known how many may vote, or what they weigh. */
function isCountable({ eligible = 'anyone', entitled, weighted }: Definition, by: By | undefined): boolean {
  const stated = (by ?? (weighted ? 'weight' : 'heads')) === 'weight' ? entitled?.weight : entitled?.heads;
  return stated !== undefined || (eligible !== 'anyone' && eligible !== 'guests');
}

const UNCOUNTABLE = 'nobody knows how many may vote; set eligible to registered or groups, or say it in entitled';

function majorityProblems(definition: Definition): string[] {
  const { majority, kind, byGroup, weighted } = definition;
  if (majority === undefined) return [];
  if (typeof majority === 'string')
    return [`majority: ${Object.keys(MAJORITIES).join(', ')}, or a list of what it asks for`];
  const problems: string[] = [];
  if (kind !== 'motion' && kind !== 'single') problems.push('majority: only motions and single-choice polls have one');
  if (majority.length < 1 || majority.length > MAX_REQUIREMENTS) {
    problems.push(`majority: from 1 to ${MAX_REQUIREMENTS} things to ask for`);
  }
  for (const [i, { share, of, by }] of majority.entries()) {
    const at = `majority[${i}]`;
    if (!parseShare(share)) problems.push(`${at}.share: must be ${SHARE_RULE}`);
    if (of === 'yes+no' && kind !== 'motion') problems.push(`${at}.of: yes+no is for motions; use valid`);
    if (of === 'entitled' && by !== 'groups' && !isCountable(definition, by)) problems.push(`${at}.of: ${UNCOUNTABLE}`);
    if (by === 'groups' && !byGroup) problems.push(`${at}.by: groups are only counted with byGroup`);
    if (by === 'weight' && !weighted) problems.push(`${at}.by: weights are only counted with weighted`);
  }
  return problems;
}

function quorumProblems(definition: Definition): string[] {
  const { quorum, weighted } = definition;
  if (!quorum) return [];
  const { share, number, count = 'present', at = 'close', by } = quorum;
  const problems: string[] = [];
  if ((share === undefined) === (number === undefined)) problems.push('quorum: either a share or a number');
  if (share !== undefined && !parseShare(share)) problems.push(`quorum.share: must be ${SHARE_RULE}`);
  if (share !== undefined && !isCountable(definition, by)) problems.push(`quorum.share: ${UNCOUNTABLE}`);
  if (number !== undefined && number < 1) problems.push(`quorum.number: must be at least 1, not ${number}`);
  if (count === 'cast' && at !== 'close') problems.push('quorum.at: ballots can only be counted at the close');
  if (by === 'weight' && !weighted) problems.push('quorum.by: weights are only counted with weighted');
  return problems;
}

function timingProblems({ opensAt, closesAt, durationMs, lateGraceMs, kind }: Definition): string[] {
  const problems: string[] = [];
  for (const [field, instant] of Object.entries({ opensAt, closesAt })) {
    if (instant !== undefined && !(INSTANT.test(instant) && Number.isFinite(Date.parse(instant)))) {
      problems.push(`${field}: must be an instant with zone, as 2026-05-01T18:30:00Z, not ${JSON.stringify(instant)}`);
    }
  }
  if (opensAt !== undefined && closesAt !== undefined && Date.parse(closesAt) <= Date.parse(opensAt)) {
    problems.push('closesAt: must be after opensAt');
  }
  if (durationMs !== undefined && (durationMs < 1_000 || durationMs > MAX_DURATION_MS)) {
    problems.push(`durationMs: from 1000 to ${MAX_DURATION_MS}, not ${durationMs}`);
  }
  if (lateGraceMs !== undefined && (lateGraceMs < 0 || lateGraceMs > MAX_GRACE_MS)) {
    problems.push(`lateGraceMs: from 0 to ${MAX_GRACE_MS}, not ${lateGraceMs}`);
  }
  if (lateGraceMs && kind === 'pulse') problems.push('lateGraceMs: a pulse is about now');
  return problems;
}

function textProblems(field: string, text: string, max: number): string[] {
  const problems: string[] = [];
  if (text.trim() === '') problems.push(`${field}: must not be empty`);
  if (text.length > max) problems.push(`${field}: at most ${max} characters, not ${text.length}`);
  if (UNPRINTABLE.test(text)) problems.push(`${field}: holds a control or text-direction character; remove it`);
  return problems;
}
