import type { TObject } from 'typebox';
import type { Bundle } from '../count/cast.ts';
import type { Choice } from '../count/tally.ts';
import type { Rejection } from '../rules/rejection.ts';
import type { Visibility } from '../rules/settings.ts';
import type { Contest } from '../rules/tie.ts';
import type { Definition, FiguresOf, KindName } from './definition.ts';
import type { OptionResult } from './figures/option-result.ts';

/** What a result may depend on besides the definition and the ballots. */
export interface ResultContext extends Contest {
  /** True once the round is closed and counted. Only then may right answers be shown. */
  readonly isFinal: boolean;
}

/** The longest ballot of a poll. */
export interface FullBallot {
  /** Canonical. */
  readonly choice: Choice;
  /** The settings that make it as long as it is, as they are named in problems. */
  readonly follows: string;
}

/**
 * A kind of poll: a parser and a result function, both pure, and what the rest of the product needs to know about the kind.
 * Broker, fold and store never refer to kinds by name.
 */
export interface Kind<Name extends KindName = KindName> {
  /** The kind’s own settings; settings of other kinds are rejected. */
  readonly settings: TObject;
  /** Settings that only operators may see, such as right answers. A result may reveal them once the round is final. */
  readonly confidential?: readonly string[];
  /** The option that a majority is checked for: `yes`, or the option that leads. Absent if the kind has no majorities. */
  readonly majorityOf?: 'yes' | 'leader';
  /** Set if its winners may be level, so that a tie-breaker has an effect. */
  readonly breaksTies?: true;
  /** Who sees results unless the author says otherwise; `defaultVisibility` decides where this is absent. */
  readonly visibility?: Visibility;

  /** The definition with the kind’s defaults filled in. Called before `problems`. */
  complete(definition: Definition<Name>): Definition<Name>;
  /** All problems with the kind’s own settings, one message each, starting with the name of the setting. */
  problems(definition: Definition<Name>): string[];
  /**
   * Parses `text` into a canonical choice, or returns why it is rejected. Never throws. A canonical choice parses to itself
   * and contains no `|`.
   */
  parse(text: string, definition: Definition<Name>): Choice | Rejection;
  /** A ballot that is as long as any that the definition allows. Called only if the definition has no problems. */
  fullest(definition: Definition<Name>): FullBallot;
  /** The figures that follow from the ballots. */
  result(definition: Definition<Name>, bundles: readonly Bundle[], context: ResultContext): FiguresOf<Name>;

  /** The result’s line per option, where it is cheaper than the whole result. */
  lines?(definition: Definition<Name>, bundles: readonly Bundle[]): readonly OptionResult[];
  /** Which part of the options the author provides: all of it (default), only labels for fixed keys, or nothing. */
  options?(definition: Definition<Name>): 'author' | 'labels' | 'none';
  /** False for a setting that has no effect given the other settings; editors hide it. By default, every setting applies. */
  applies?(setting: string, definition: Definition<Name>): boolean;
  /** The key of the abstention, if the poll offers one. */
  abstention?(definition: Definition<Name>): string | undefined;
  /** How long in ms a vote counts after it was cast. If this is absent, votes do not expire. */
  lifetimeMs?(definition: Definition<Name>): number;
  /** Whether the question has a right answer, so that answers earn points. Default: no. */
  hasAnswer?(definition: Definition<Name>): boolean;
  /** What a choice is worth as an answer, from 0 to 1; undefined if the question has no right answer. */
  credit?(choice: Choice, definition: Definition<Name>): number | undefined;
}
