/** Exit codes: 1 for a failure, 2 for wrong arguments or a wrong configuration. */
export const EXIT = { failed: 1, misconfigured: 2 } as const;
