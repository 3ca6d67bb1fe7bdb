/**
 * The promise-based persistence that Aedes 1.x requires. The package’s main entry point exports the callback-based persistence.
 */
declare module 'aedes-persistence-level/asyncPersistence.js' {
  export default class AsyncLevelPersistence {
    constructor(db: unknown);
    setup(broker: unknown): Promise<void>;
    addSubscriptions(client: { readonly id: string }, filters: readonly { readonly topic: string }[]): Promise<void>;
    destroy(): Promise<void>;
  }
}
