import type { OptionFigures } from '../figures/option-result.ts';

export type SingleFigures = OptionFigures;
