import { createHash } from 'node:crypto';
import type { InfluxDB, ISchemaOptions } from 'influx';
import { InfluxError, influxError } from './influx-error.ts';

/** How long raw points are kept. The last value of each minute is kept for a year. */
export const RAW = { name: 'raw', duration: '7d', durationMs: 7 * 86_400_000 } as const;
export const MINUTES = { name: 'minutes', duration: '365d' } as const;
/** Points that arrive late, after an outage, are still downsampled if they are no older than this. */
const RESAMPLED = '2h';

/** What was prepared in a database. */
export interface Setup {
  /** The retention policies that exist, as far as is known. */
  readonly policies: ReadonlySet<string>;
  /** What could not be prepared, and why; empty if nothing is missing. */
  readonly missing: readonly string[];
}

/**
 * Creates the database, retention policies and downsampling queries that do not exist yet. What the database refuses, because
 * the user lacks rights or the version has no administration, is reported and left out. @throws InfluxError if it does not answer
 */
export async function setUp(
  client: InfluxDB,
  database: string,
  schema: readonly ISchemaOptions[],
  secrets: readonly string[],
): Promise<Setup> {
  const missing: string[] = [];
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      const found = influxError(error, secrets);
      if (!found.isRefusal) throw found;
      missing.push(`${what} (${found.message})`);
      return undefined;
    }
  };
  await attempt(`database ${database}`, () => client.createDatabase(database));
  const known = await attempt('list of retention policies', () => client.showRetentionPolicies(database));
  const policies = new Set(known?.map(({ name }) => name));
  for (const { name, duration } of [RAW, MINUTES]) {
    if (policies.has(name)) continue;
    const options = { database, duration, replication: 1, isDefault: name === RAW.name };
    await attempt(`retention policy ${name}`, async () => {
      await client.createRetentionPolicy(name, options);
      policies.add(name);
    });
  }
  await attempt('continuous queries', async () => {
    const existing = await continuousQueries(client, database);
    for (const { measurement, fields } of schema) {
      await downsample(client, database, measurement, Object.keys(fields), existing);
    }
  });
  return { policies, missing };
}

/**
 * Creates the continuous query of a measurement. Its name contains a digest of its text, because a query of the same name with
 * another text cannot be created, and earlier versions stored other fields. Queries of other versions are removed.
 */
async function downsample(
  client: InfluxDB,
  database: string,
  measurement: string,
  fields: readonly string[],
  existing: readonly string[],
): Promise<void> {
  const values = fields.map((field) => `last(${field}) AS ${field}`).join(', ');
  const query = `SELECT ${values} INTO ${MINUTES.name}.${measurement} FROM ${RAW.name}.${measurement} GROUP BY time(1m), *`;
  const resample = `RESAMPLE EVERY 1m FOR ${RESAMPLED}`;
  const base = `minutes_${measurement}`;
  const name = `${base}_${createHash('sha256').update(`${resample} ${query}`).digest('hex').slice(0, 8)}`;
  if (!existing.includes(name)) await client.createContinuousQuery(name, query, database, resample);
  const others = existing.filter((one) => one !== name && new RegExp(`^${base}(_[0-9a-f]{8})?$`).test(one));
  for (const other of others) await client.dropContinuousQuery(other, database);
}

/** The names of the continuous queries of a database. */
async function continuousQueries(client: InfluxDB, database: string): Promise<string[]> {
  interface Answer {
    readonly results?: readonly {
      readonly error?: string;
      readonly series?: readonly { readonly name: string; readonly values?: readonly (readonly string[])[] }[];
    }[];
  }
  const { results = [] } = (await client.queryRaw('SHOW CONTINUOUS QUERIES')) as Answer;
  const failure = results.find(({ error }) => error)?.error;
  if (failure) throw new InfluxError(failure, 200, true);
  return results.flatMap(({ series = [] }) =>
    series.filter(({ name }) => name === database).flatMap(({ values = [] }) => values.map(([name = '']) => name)),
  );
}
