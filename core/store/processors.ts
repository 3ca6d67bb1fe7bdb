/** The role under which processors announce their presence. */
export const PROCESSOR_ROLE = 'processor';

/** What a processor announces about itself. */
export interface ProcessorFacts {
  /** The newest format of log entries that it can read; absent in earlier versions: 1. */
  readonly reads?: number;
}

/** The newest format that a processor can read, by what it announced. */
export function readsOf(facts: unknown): number {
  return (facts as ProcessorFacts | null)?.reads ?? 1;
}
