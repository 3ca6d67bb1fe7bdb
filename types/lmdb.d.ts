export {};

declare module 'lmdb' {
  /** The key that these bytes stand for. Exported by the package, but missing from its types. */
  export function bufferToKeyValue(key: Buffer): unknown;
}
