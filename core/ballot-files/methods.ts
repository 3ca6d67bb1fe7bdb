import type { KindName } from '../voting/kinds/definition.ts';
import type { BallotForm } from './formats/ballot-file.ts';
import type { MethodSetting } from './settings.ts';

/** How a method of counting files maps to a kind of poll and its settings. */
interface Method {
  readonly title: string;
  readonly kind: KindName;
  /** The kind’s setting `method`, if it has one. */
  readonly method?: string;
  /** The settings that the method takes. They have the same names in polls. */
  readonly takes: readonly MethodSetting[];
  /** The forms of ballots that it can count. */
  readonly forms: readonly BallotForm[];
  /** A ballot’s choice as the kind takes it; empty if the ballot is blank for this method. By default, it is left as it is. */
  choice?(choice: string, form: BallotForm): string;
}

/**
 * The methods by the names that `pollcast count --method` takes. This table is the only place that knows how they map to kinds
 * of polls and their settings.
 */
export const methods = {
  irv: { title: 'instant runoff', kind: 'ranking', method: 'irv', takes: ['until'], forms: ['ranks'] },
  stv: {
    title: 'single transferable vote',
    kind: 'ranking',
    method: 'stv',
    takes: ['seats', 'rules', 'quota', 'decimals'],
    forms: ['ranks'],
  },
  condorcet: { title: 'Condorcet', kind: 'ranking', method: 'condorcet', takes: ['completion'], forms: ['ranks'] },
  borda: { title: 'Borda count', kind: 'ranking', method: 'borda', takes: ['variant'], forms: ['ranks'] },
  plurality: {
    title: 'plurality (first preferences)',
    kind: 'single',
    takes: [],
    forms: ['ranks'],
    // Several candidates in first place are an overvote.
    choice: (choice) => (/^[^>]*=/.test(choice) ? '' : choice.replace(/>.*/, '')),
  },
  approval: {
    title: 'approval',
    kind: 'multiple',
    takes: ['seats', 'candidateMajority'],
    forms: ['ranks', 'grades'],
    choice: approved,
  },
  star: {
    title: 'STAR (score, then automatic runoff)',
    kind: 'score',
    method: 'star',
    takes: ['min', 'max'],
    forms: ['grades'],
  },
  score: { title: 'score', kind: 'score', method: 'score', takes: ['min', 'max'], forms: ['grades'] },
} as const satisfies { readonly [name: string]: Method };

export type MethodName = keyof typeof methods;
export const METHOD_NAMES = Object.keys(methods) as readonly MethodName[];

/** The method of this name. */
export function methodOf(name: MethodName): Method {
  return methods[name];
}

/** True for the name of a method. */
export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}

/** The method if none is named: STV for several seats, instant runoff for one, STAR for grades. */
export function defaultMethod(form: BallotForm, seats: number): MethodName {
  if (form === 'grades') return 'star';
  return seats > 1 ? 'stv' : 'irv';
}

/** The candidates whom a ballot ranks at all, or gives a grade above 0. */
function approved(choice: string, form: BallotForm): string {
  const parts = form === 'ranks' ? choice.split(/[>=]/) : choice.split(',').filter((grade) => !grade.endsWith(':0'));
  const keys = parts.map((part) => part.replace(/:.*/, '')).filter((key) => key !== '');
  return keys.sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))).join(',');
}
