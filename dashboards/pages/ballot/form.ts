import type { VNode } from 'preact';
import type { Definition, KindName } from '../../../core/voting/kinds/definition.ts';

/** A question as phones receive it: its definition and current state. */
export type Question = Definition & {
  readonly status: string;
  readonly round: number;
  readonly closingAt?: string;
  /** Set while the presenter hides the figures. */
  readonly curtain?: true;
};

/** The props that every ballot form has, whatever its kind. */
export interface FormState {
  /** The choice of the last vote, as text; undefined before the first vote. */
  readonly cast: string | undefined;
  /** Whether a tap votes at once, without a button to confirm. */
  readonly isInstant: boolean;
  readonly isDisabled: boolean;
  readonly onCast: (choice: string) => void;
}

export interface FormProps<Name extends KindName = KindName> extends FormState {
  readonly question: Definition<Name>;
}

/** How voters answer questions of a kind. */
export interface KindForm<Name extends KindName = KindName> {
  /** The ballot form. */
  Form(props: FormProps<Name>): VNode;
  /** A choice as voters read it, with labels in place of keys. */
  choiceText(choice: string, question: Definition<Name>): string;
  /** Set if voters are meant to vote repeatedly, so that no hint about changing the vote is shown. */
  readonly isRepeated?: true;
}
