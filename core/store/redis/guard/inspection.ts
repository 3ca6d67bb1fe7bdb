import type { Redis } from 'ioredis';
import { replyOf } from '../connection/connection.ts';

/** The oldest major version of Redis that has everything the store uses. */
const LEAST_VERSION = 7;

/** What an acknowledgement waits for; see the table in docs/OPERATIONS.md. */
export type DurabilityLevel = 'append' | 'fsync' | 'replicated';

/** What a Redis server says about itself. */
export interface ServerFacts {
  /** Identifies the history of its data: changes when the server starts, and when it is promoted. */
  readonly history: string;
  readonly role: string;
  /** True if it writes an append-only file. */
  readonly isLogged: boolean;
  /** Why it must not be used with this durability, as a sentence; undefined if it may. */
  readonly problem: string | undefined;
}

/** Asks a primary what it is, and whether it is suitable: not too old, never evicting votes, and with the durability. */
export async function inspect(primary: Redis, durability: DurabilityLevel): Promise<ServerFacts> {
  const info = await replyOf(primary.info());
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const isLogged = fact('aof_enabled') === '1';
  return {
    history: fact('master_replid'),
    role: fact('role'),
    isLogged,
    problem:
      versionProblem(fact('redis_version')) ??
      evictionProblem(Number(fact('maxmemory')), fact('maxmemory_policy')) ??
      (durability === 'fsync' ? await syncProblem(primary, isLogged) : undefined),
  };
}

function versionProblem(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= LEAST_VERSION) return undefined;
  return `Redis ${version} is too old; ${LEAST_VERSION}.0 or newer is needed`;
}

function evictionProblem(maxMemory: number, policy: string): string | undefined {
  if (maxMemory === 0 || policy === 'noeviction') return undefined;
  return `Redis may evict votes when its memory is full (maxmemory-policy ${policy}); set maxmemory-policy noeviction`;
}

async function syncProblem(primary: Redis, isLogged: boolean): Promise<string | undefined> {
  const [, sync] = (await replyOf(primary.config('GET', 'appendfsync'))) as string[];
  if (isLogged && sync === 'always') return undefined;
  return `durability fsync requires Redis with appendonly yes and appendfsync always; this server has appendonly ${isLogged ? 'yes' : 'no'} and appendfsync ${sync}`;
}
