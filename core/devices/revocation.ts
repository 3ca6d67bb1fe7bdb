/** What became of devices that were to be removed together. */
export interface Revocation {
  readonly revoked: readonly string[];
  /** Ids that are not registered. */
  readonly unknown: readonly string[];
  /** Not begun, because of an error or because it was over. */
  readonly notBegun: readonly string[];
  /** Begun when the error occurred: they may be removed or not. */
  readonly uncertain: readonly string[];
  /** The first error; undefined if there was none. */
  readonly error: unknown;
}

/** How a revocation of many devices is followed. */
export interface RevocationCourse {
  readonly onRevoked?: (device: string) => void;
  /** True once nobody waits for the outcome any more. */
  readonly isOver?: () => boolean;
}
