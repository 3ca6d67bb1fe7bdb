import * as Type from 'typebox';
import { closed, type Frozen, integer, stringPairs, strings } from '../../rules/schema.ts';

export const settings = Type.Object({
  maxLength: Type.Optional(integer('maximum number of characters in a phrase; default 40')),
  maxPhrases: Type.Optional(integer('maximum number of phrases in a vote; default 3')),
  stop: Type.Optional(strings('phrases that are rejected')),
  moderation: Type.Optional(
    closed(
      {
        hide: Type.Optional(strings('phrases that are not shown')),
        merge: Type.Optional(stringPairs('phrases, each with the phrase that it counts as')),
      },
      'phrases hidden or merged by operators; ballots do not change. May be changed at any time',
    ),
  ),
});
export type TextSettings = Frozen<Type.Static<typeof settings>>;
export type Moderation = NonNullable<TextSettings['moderation']>;
