/** File locks, which Node.js lacks. On Linux they belong to the open file description, so no other open or close drops them. */
declare module 'fs-native-extensions' {
  /** Locks a range of an open file. False if somebody else holds a lock on part of it. */
  export function tryLock(fd: number, offset: number, length: number): boolean;
}
