import type { OptionFigures } from '../figures/option-result.ts';

export interface PulseFigures extends OptionFigures {
  readonly windowMs?: number | undefined;
}
