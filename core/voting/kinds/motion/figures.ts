import type { OptionFigures } from '../figures/option-result.ts';

/** No option leads in a motion: its majority decides whether it is adopted. */
export type MotionFigures = OptionFigures;
