import { FieldType, InfluxDB, type ISchemaOptions, type ISingleHostConfig } from 'influx';
import type { Log } from '../../runtime/log.ts';
import { type Point, PointsRefused, type Sample, type Series, type Window } from './series.ts';

/** Time limit in ms for an answer from the database. */
const ANSWER_LIMIT_MS = 5_000;
/** How long raw points are kept. The last value of each minute is kept for a year. */
const RAW = { name: 'raw', duration: '7d', durationMs: 7 * 86_400_000 } as const;
const MINUTES = { name: 'minutes', duration: '365d' } as const;
/** Points that arrive late, after an outage, are still downsampled if they are no older than this. */
const RESAMPLED = '2h';

const { INTEGER, FLOAT, STRING } = FieldType;
const schema: readonly ISchemaOptions[] = [
  {
    measurement: 'votes',
    tags: ['poll', 'round', 'partition'],
    fields: { received: INTEGER, counted: INTEGER, replaced: INTEGER, redelivered: INTEGER, rejected: INTEGER },
  },
  { measurement: 'ballots', tags: ['poll', 'round', 'option', 'partition'], fields: { count: INTEGER } },
  { measurement: 'rejections', tags: ['poll', 'round', 'reason', 'partition'], fields: { count: INTEGER } },
  { measurement: 'turnout', tags: ['poll', 'round', 'partition'], fields: { voted: INTEGER } },
  { measurement: 'events', tags: ['poll', 'event'], fields: { title: STRING, text: STRING, round: INTEGER } },
  {
    measurement: 'fleet',
    tags: ['group', 'firmware'],
    fields: {
      devices: INTEGER,
      reporting: INTEGER,
      low: INTEGER,
      battery_mean: FLOAT,
      battery_min: FLOAT,
      signal_mean: FLOAT,
    },
  },
];

/** The time series in InfluxDB 1.x, or in a later version that offers the 1.x endpoints. */
export class InfluxSeries implements Series {
  private readonly database: string;
  private readonly client: InfluxDB;
  private readonly log: Log;
  private isPrepared = false;
  private isReported = false;

  private constructor(url: string, log: Log) {
    const { protocol, hostname, port, username, password, pathname } = new URL(url);
    this.database = pathname.slice(1);
    this.log = log.child({ part: 'influxdb' });
    const config: ISingleHostConfig = {
      protocol: protocol === 'https:' ? 'https' : 'http',
      host: hostname,
      port: Number(port || 8086),
      database: this.database,
      schema: schema.map((one) => ({ ...one, database: this.database })),
      // The caller retries failed writes; retries inside the client would only hide failures.
      pool: { requestTimeout: ANSWER_LIMIT_MS, maxRetries: 0 },
    };
    if (username) Object.assign(config, { username: decodeURIComponent(username) });
    if (password) Object.assign(config, { password: decodeURIComponent(password) });
    this.client = new InfluxDB(config);
  }

  /**
   * Prepares the database now if it can be reached, otherwise before the first write.
   *
   * @param url `http://[user:password@]host[:port]/database`
   */
  static async open(url: string, log: Log): Promise<InfluxSeries> {
    const series = new InfluxSeries(url, log);
    await series.prepare().catch((error) => {
      series.log.warn({ err: error }, 'InfluxDB does not answer yet; votes are not affected');
    });
    return series;
  }

  async close(): Promise<void> {}

  async write(points: readonly Point[]): Promise<void> {
    if (!this.isPrepared) await this.prepare();
    try {
      await this.client.writePoints(
        points.map(({ measurement, tags, fields, atMs }) => ({
          measurement,
          tags,
          fields,
          timestamp: new Date(atMs),
        })),
        { retentionPolicy: RAW.name, precision: 's' },
      );
    } catch (error) {
      const status = statusOf(error);
      // The database was deleted, so it is created again before the next attempt.
      if (status === 404) this.isPrepared = false;
      if (status === 400 || status === 413) throw new PointsRefused((error as Error).message, { cause: error });
      throw error;
    }
  }

  async samples(poll: string, round: number, { fromMs, toMs, stepMs }: Window): Promise<Sample[]> {
    const policy = fromMs > Date.now() - RAW.durationMs ? RAW.name : MINUTES.name;
    const where = `WHERE poll = '${poll}' AND round = '${round}' AND time >= ${fromMs}ms AND time < ${toMs}ms`;
    const steps = `time(${stepMs}ms)`;
    const [votes = [], ballots = []] = await this.client.query<Row>(
      [
        `SELECT last(received) AS value FROM ${policy}.votes ${where} GROUP BY ${steps}, partition FILL(none)`,
        `SELECT last(count) AS value FROM ${policy}.ballots ${where} GROUP BY ${steps}, option, partition FILL(none)`,
      ],
      { precision: 'ms' },
    );
    return [...votes, ...ballots].map(({ time, partition, option, value }) => {
      return { atMs: time.getTime(), partition, option, value };
    });
  }

  /** Creates the database, retention policies and downsampling queries that do not exist yet. */
  private async prepare(): Promise<void> {
    try {
      await this.client.createDatabase(this.database);
      await this.policy(RAW.name, RAW.duration, true);
      await this.policy(MINUTES.name, MINUTES.duration, false);
      for (const { measurement, fields } of schema) await this.downsample(measurement, Object.keys(fields));
      this.log.debug('the database is prepared');
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined || status >= 500) throw error;
      // Later versions support the writes and queries of 1.x but not its administration, or the user may lack permission.
      if (!this.isReported) {
        this.log.warn({ err: error }, 'InfluxDB refused to set up retention; see docs/OPERATIONS.md');
      }
      this.isReported = true;
    }
    this.isPrepared = true;
  }

  private async policy(name: string, duration: string, isDefault: boolean): Promise<void> {
    const known = await this.client.showRetentionPolicies(this.database);
    if (known.some((policy) => policy.name === name)) return;
    await this.client.createRetentionPolicy(name, { database: this.database, duration, replication: 1, isDefault });
  }

  private async downsample(measurement: string, fields: readonly string[]): Promise<void> {
    const values = fields.map((field) => `last(${field}) AS ${field}`).join(', ');
    const query = `SELECT ${values} INTO ${MINUTES.name}.${measurement} FROM ${RAW.name}.${measurement} GROUP BY time(1m), *`;
    await this.client.createContinuousQuery(
      `minutes_${measurement}`,
      query,
      this.database,
      `RESAMPLE EVERY 1m FOR ${RESAMPLED}`,
    );
  }
}

interface Row {
  readonly time: Date;
  readonly partition: string;
  readonly option?: string;
  readonly value: number;
}

/** The HTTP status of an error; undefined if there was no answer. */
function statusOf(error: unknown): number | undefined {
  return (error as { res?: { statusCode?: number } }).res?.statusCode;
}
