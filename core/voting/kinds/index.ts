import type { Definition, KindName } from './definition.ts';
import type { Kind } from './kind.ts';
import { motion } from './motion/motion.ts';
import { multiple } from './multiple/multiple.ts';
import { numeric } from './numeric/numeric.ts';
import { points } from './points/points.ts';
import { pulse } from './pulse/pulse.ts';
import { quiz } from './quiz/quiz.ts';
import { ranking } from './ranking/ranking.ts';
import { rating } from './rating/rating.ts';
import { score } from './score/score.ts';
import { single } from './single/single.ts';
import { text } from './text/text.ts';

/** Every kind of poll by name, in the order shown in menus. */
export const kinds: { readonly [Name in KindName]: Kind<Name> } = {
  single,
  motion,
  multiple,
  rating,
  numeric,
  points,
  ranking,
  score,
  quiz,
  text,
  pulse,
};

export const KIND_NAMES = Object.keys(kinds) as readonly KindName[];

/** The kind of a poll. */
export function kindOf({ kind }: Pick<Definition, 'kind'>): Kind {
  return kinds[kind];
}
