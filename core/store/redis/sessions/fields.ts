import type { Cluster, Redis } from 'ioredis';

/** The number of fields read at a time. */
const MANY = 1_000;

/** Every field of a hash with its value. Not a snapshot. */
export async function* fieldsOf(
  connection: Redis | Cluster,
  key: string,
): AsyncGenerator<readonly [field: string, value: string]> {
  let cursor = '0';
  do {
    const [next, found] = await connection.hscan(key, cursor, 'COUNT', MANY);
    for (let i = 0; i < found.length; i += 2) yield [found[i] as string, found[i + 1] as string];
    cursor = next;
  } while (cursor !== '0');
}
