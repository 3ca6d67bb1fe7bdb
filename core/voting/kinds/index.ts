import type { KindName } from '../poll.ts';
import type { Kind } from './kind.ts';
import { motion } from './motion.ts';
import { multiple } from './multiple.ts';
import { numeric } from './numeric.ts';
import { points } from './points.ts';
import { pulse } from './pulse.ts';
import { quiz } from './quiz.ts';
import { ranking } from './ranking/ranking.ts';
import { rating } from './rating.ts';
import { score } from './score.ts';
import { single } from './single.ts';
import { text } from './text.ts';

/** Every kind of poll by its name. To add one, write it beside these and name it here and in `KIND_NAMES`. */
export const kinds: Readonly<Record<KindName, Kind>> = {
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
