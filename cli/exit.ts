/** Exit codes: 1 it failed, 2 it was told to do something that makes no sense. */
export const EXIT = { failed: 1, misconfigured: 2 } as const;
