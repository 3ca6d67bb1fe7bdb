import { drawLot } from '../audit/lot.ts';
import { type Bundle, bundlesOf, castOf, readCast, sumBundles } from '../voting/count/cast.ts';
import type { Tally } from '../voting/count/tally.ts';
import type { Definition, Draft, KindName } from '../voting/kinds/definition.ts';
import { kindOf } from '../voting/kinds/index.ts';
import { withDefaults } from '../voting/poll/definition.ts';
import type { RoundRecord } from '../voting/rules/record.ts';
import { isRejection } from '../voting/rules/rejection.ts';
import { tieBreakerOf } from '../voting/rules/tie.ts';
import { formatWeight, ONE } from '../voting/rules/weight.ts';
import { type BallotFile, type BallotForm, keyOf, numbered, quoted } from './formats/ballot-file.ts';
import { defaultMethod, isMethod, METHOD_NAMES, type MethodName, methodOf } from './methods.ts';
import { type CountSettings, METHOD_SETTINGS, type MethodSetting } from './settings.ts';

/** A file cannot be counted as asked. The message says why and what to do instead. */
export class CountError extends Error {
  override readonly name = 'CountError';
}

/** Figures of any method, with names instead of keys. */
export interface Figures {
  readonly [figure: string]: unknown;
}

/** The outcome of counting a file. Candidates are named as in the file. */
export interface Outcome {
  readonly title?: string | undefined;
  readonly method: MethodName;
  readonly rules?: string | undefined;
  readonly seats: number;
  /** The number of ballots that count. */
  readonly ballots: number;
  /** Their total weight, if some of them have weights with decimals. */
  readonly weight?: string | undefined;
  /** Ballots that name nobody, or only candidates who withdrew. */
  readonly blank: number;
  readonly candidates: readonly string[];
  readonly withdrawn: readonly string[];
  /** Those elected, however ties might be broken. */
  readonly winners: readonly string[];
  /** Candidates who are level for what is still undecided; empty if everything is decided. */
  readonly unresolved: readonly string[];
  readonly notes: readonly string[];
  /** The figures of the method, such as `rounds`, `stages` or `matrix`. */
  readonly figures: Figures;
}

interface Candidate {
  readonly name: string;
  readonly key: string;
}

/**
 * Counts the ballots of a file as a poll with these settings would be counted, but without a poll’s limits on candidates.
 *
 * @throws {CountError} if the settings do not fit the file, each other, or what can be counted
 */
export function countFile(file: BallotFile, given: CountSettings): Outcome {
  const settings: CountSettings = { ...file.declared, ...withoutGaps(given) };
  const withdrawn = withdrawnFrom(file, settings.withdrawn ?? []);
  const standing = file.candidates.flatMap((name, i) => (withdrawn.has(i) ? [] : [{ name, key: keyOf(i) }]));
  const wanted = settings.seats ?? file.seats ?? 1;
  if (wanted < 1 || wanted > standing.length) {
    throw new CountError(
      `${numbered(wanted, 'seat')} for ${numbered(standing.length, 'candidate')}; expected a number of seats from 1 to ${standing.length} (--seats)`,
    );
  }
  const name = methodNamed(settings.method, file.form, wanted);
  for (const drawn of given.draws?.flat() ?? []) indexOf(file.candidates, drawn, 'lot');
  const { kind, method, takes, choice: choiceOf, forms } = methodOf(name);
  if (!forms.includes(file.form)) throw new CountError(wrongForm(name, file.form));
  const foreign = METHOD_SETTINGS.find(
    (setting) =>
      given[setting] !== undefined && !takes.includes(setting) && !(setting === 'seats' && given.seats === 1),
  );
  if (foreign)
    throw new CountError(`${foreign}: ${name} does not have this setting; leave it out, or choose another --method`);

  const { tally, blank } = ballotsFor(file, withdrawn, choiceOf);
  const bundles = bundlesOf(tally);
  const takesSeats = takes.includes('seats') && (given.seats !== undefined || hasSetting(kind, 'seats'));
  const seats = takesSeats ? wanted : 1;
  const chosen = withoutGaps({
    method,
    ...pick({ ...settings, seats: seats > 1 || method === 'stv' ? seats : undefined }, takes),
  });
  checkSettings(kind, chosen, name);
  const definition = definitionOf(kind, {
    ...chosen,
    options: standing.map(({ key }) => ({ key, label: key })),
    weighted: bundles.some(({ heads, weight }) => weight !== BigInt(heads) * ONE),
    tieBreak: settings.tieBreak ?? 'none',
  });
  checkProblems(definition, chosen);
  checkEqualRanks(definition, bundles, name);
  const breaker = tieBreakerOf(definition, lotsFrom(settings, standing));
  const result = kindOf(definition).result(definition, bundles, { breaker, isFinal: true });

  const { winners = [], unresolved = [], method: _, seats: __, ...figures } = named(result, standing);
  // Without a tie-breaker, kinds with one winner name all level options as winners.
  const isLevel = winners.length > seats;
  const { heads, weight } = sumBundles(bundles);
  return {
    title: file.title,
    method: name,
    ...('rules' in definition && definition.rules ? { rules: definition.rules } : {}),
    seats,
    ballots: heads,
    ...(definition.weighted ? { weight: formatWeight(weight) } : {}),
    blank,
    candidates: standing.map(({ name }) => name),
    withdrawn: file.candidates.filter((_, i) => withdrawn.has(i)),
    winners: isLevel ? [] : winners,
    unresolved: isLevel ? winners : unresolved,
    notes: file.notes,
    figures,
  };
}

function definitionOf(kind: KindName, settings: { readonly [setting: string]: unknown }): Definition {
  const draft = { poll: 'file', title: 'file', kind, ...settings } as Draft;
  return kindOf({ kind }).complete(withDefaults(draft));
}

function methodNamed(name: string | undefined, form: BallotForm, seats: number): MethodName {
  if (name === undefined) return defaultMethod(form, seats);
  if (isMethod(name)) return name;
  throw new CountError(`method: there is no method ${quoted(name)}; expected one of ${METHOD_NAMES.join(', ')}`);
}

function wrongForm(name: MethodName, form: BallotForm): string {
  const others = METHOD_NAMES.filter((other) => methodOf(other).forms.includes(form)).join(', ');
  return form === 'grades'
    ? `method: ${name} counts ranks, but the file holds grades; expected one of ${others}. If its numbers are ranks, say --format cvr`
    : `method: ${name} counts grades, but the file holds ranks; expected one of ${others}. If its numbers are grades, say --format scores`;
}

/** The indices of all candidates who withdrew. */
function withdrawnFrom({ candidates, withdrawn }: BallotFile, names: readonly string[]): Set<number> {
  const found = names.map((name) => indexOf(candidates, name, 'withdraw'));
  return new Set([...withdrawn, ...found]);
}

/** @param setting the setting that names the candidate */
function indexOf(candidates: readonly string[], name: string, setting: string): number {
  const index = candidates.findIndex((candidate) => isSame(candidate, name));
  if (index !== -1) return index;
  throw new CountError(`${setting}: ${quoted(name)} is not a candidate; expected one of ${candidates.join(', ')}`);
}

/** The ballots without candidates who withdrew, in the form that the kind takes. */
function ballotsFor(
  { tally, blank, form }: BallotFile,
  withdrawn: ReadonlySet<number>,
  choiceOf: (choice: string, form: BallotForm) => string = (choice) => choice,
): { tally: Tally; blank: number } {
  const gone = new Set([...withdrawn].map(keyOf));
  const found = new Map<string, number>();
  let empty = blank;
  for (const [cast, heads] of tally) {
    const { choice, weight } = readCast(cast);
    const left = choiceOf(gone.size === 0 ? choice : without(choice, gone, form), form);
    if (left === '') empty += heads;
    else {
      const key = castOf(left, { weight });
      found.set(key, (found.get(key) ?? 0) + heads);
    }
  }
  return { tally: found, blank: empty };
}

function without(choice: string, gone: ReadonlySet<string>, form: BallotForm): string {
  if (form === 'grades') {
    return choice
      .split(',')
      .filter((grade) => !gone.has(grade.slice(0, grade.indexOf(':'))))
      .join(',');
  }
  const ranks = choice.split('>').map((rank) =>
    rank
      .split('=')
      .filter((key) => !gone.has(key))
      .join('='),
  );
  return ranks.filter((rank) => rank !== '').join('>');
}

/** The lots, as keys. */
function lotsFrom(
  { tieBreak, lot, seed, draws = [] }: CountSettings,
  standing: readonly Candidate[],
): Pick<RoundRecord, 'lot' | 'draws'> {
  const keysOf = (names: readonly string[]) =>
    names.flatMap((name) => standing.find((candidate) => isSame(candidate.name, name))?.key ?? []);
  if (tieBreak !== 'lot') return { draws: draws.map((order) => ({ order: keysOf(order), atMs: 0 })) };
  const names = standing.map(({ name }) => name);
  const drawn = lot ?? (seed === undefined ? undefined : drawLot(seed, names));
  if (!drawn)
    throw new CountError(
      'tieBreak: a lot needs a seed; say --tie-break lot:SEED, or --lot A,B for a lot that was drawn',
    );
  return { lot: keysOf(drawn) };
}

/** True for the same name; spaces around names, which some files have, do not matter. */
function isSame(name: string, other: string): boolean {
  return name.trim() === other.trim();
}

/** Checks that the kind has these settings, and these words for them. */
function checkSettings(kind: KindName, settings: { readonly [setting: string]: unknown }, method: MethodName): void {
  for (const [setting, value] of Object.entries(settings)) {
    const schema = schemaOf(kind, setting);
    if (!schema)
      throw new CountError(
        `${setting}: ${method} does not have this setting; leave it out, or choose another --method`,
      );
    const { enum: words } = schema;
    if (words && !words.includes(value))
      throw new CountError(`${setting}: ${quoted(String(value))} is not known; expected one of ${words.join(', ')}`);
  }
}

function schemaOf(kind: KindName, setting: string): { readonly enum?: readonly unknown[] } | undefined {
  const { properties } = kindOf({ kind }).settings;
  return Object.hasOwn(properties, setting) ? properties[setting] : undefined;
}

function hasSetting(kind: KindName, setting: MethodSetting): boolean {
  return schemaOf(kind, setting) !== undefined;
}

/** Checks the values of these settings as for a poll. The limits of polls on other things do not apply to files. */
function checkProblems(definition: Definition, settings: { readonly [setting: string]: unknown }): void {
  const names = Object.keys(settings).filter((setting) => setting !== 'seats');
  const problem = kindOf(definition)
    .problems(definition)
    .find((text) =>
      text
        .replace(/:.*/s, '')
        .split(', ')
        .some((setting) => names.includes(setting)),
    );
  if (problem !== undefined) throw new CountError(problem);
}

/** Checks that the method can count candidates who are ranked equally, if there are any. */
function checkEqualRanks(definition: Definition, bundles: readonly Bundle[], method: MethodName): void {
  if (!bundles.some(({ choice }) => choice.includes('='))) return;
  const [first, second] = definition.options;
  if (isRejection(kindOf(definition).parse(`${first?.key}=${second?.key}`, definition))) {
    throw new CountError(
      `the file ranks candidates equally, and ${method} cannot count that, because each ballot must belong to one candidate at a time; use --method condorcet, borda or approval`,
    );
  }
}

/** Replaces keys by names throughout figures. Only keys and fixed words are text in figures, and no fixed word is like a key. */
function named(
  figures: object,
  candidates: readonly Candidate[],
): Figures & { winners?: string[]; unresolved?: string[] } {
  const names = new Map(candidates.map(({ key, name }) => [key, name]));
  const replace = (value: unknown): unknown => {
    if (typeof value === 'string') return names.get(value) ?? value;
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([field]) => field !== 'label');
    return Object.fromEntries(entries.map(([field, inner]) => [field === 'key' ? 'name' : field, replace(inner)]));
  };
  return replace(figures) as Figures;
}

function pick(settings: CountSettings, fields: readonly MethodSetting[]): CountSettings {
  return Object.fromEntries(fields.map((field) => [field, settings[field]]));
}

function withoutGaps<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;
}
