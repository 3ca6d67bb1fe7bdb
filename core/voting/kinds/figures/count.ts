import type { Option } from '../../rules/option.ts';
import { type Contest, type Leaders, leadersOf, seatsOf } from '../../rules/tie.ts';
import { formatWeight, shareOf, type Weight } from '../../rules/weight.ts';
import { type OptionResult, ratio } from './option-result.ts';

interface Sum {
  heads: number;
  weight: Weight;
}

/** Adds up heads and weight by option. */
export class Count {
  private readonly sums = new Map<string, Sum>();

  add(key: string, heads: number, weight: Weight): void {
    const sum = this.sums.get(key);
    if (sum) {
      sum.heads += heads;
      sum.weight += weight;
    } else this.sums.set(key, { heads, weight });
  }

  heads(key: string): number {
    return this.sums.get(key)?.heads ?? 0;
  }

  weight(key: string): Weight {
    return this.sums.get(key)?.weight ?? 0n;
  }

  get keys(): string[] {
    return [...this.sums.keys()];
  }

  /** The sum over all keys. */
  get total(): Sum {
    const total = { heads: 0, weight: 0n };
    for (const { heads, weight } of this.sums.values()) {
      total.heads += heads;
      total.weight += weight;
    }
    return total;
  }

  /** A result line for each option, with shares of `whole`. */
  lines(options: readonly Option[], whole: Sum, { weighted }: { readonly weighted?: boolean }): OptionResult[] {
    return options.map(({ key, label }) => {
      const { heads, weight } = { heads: this.heads(key), weight: this.weight(key) };
      if (!weighted) return { key, label, count: heads, share: ratio(heads, whole.heads) };
      return { key, label, count: heads, share: shareOf(weight, whole.weight), weight: formatWeight(weight) };
    });
  }

  /** The leading options, or those that win the seats. */
  leaders(options: readonly Option[], { breaker, withdrawn }: Contest, seats = 1): Leaders {
    const values = options.filter(({ key }) => !withdrawn?.has(key)).map(({ key }) => [key, this.weight(key)] as const);
    return seats === 1 ? leadersOf(values, breaker) : seatsOf(values, seats, breaker);
  }
}
