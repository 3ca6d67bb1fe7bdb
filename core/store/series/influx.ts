import { FieldType, InfluxDB, type ISchemaOptions, type ISingleHostConfig } from 'influx';
import type { Log } from '../../runtime/log.ts';
import { type InfluxError, influxError } from './influx-error.ts';
import { MINUTES, RAW, type Setup, setUp } from './influx-setup.ts';
import { type Point, PointsRefused, type Sample, type Series, type Window } from './series.ts';

/** Time limit in ms for an answer from the database. */
const ANSWER_LIMIT_MS = 5_000;
/** If something could not be prepared, how long in ms until it is attempted again: the rights may have been granted meanwhile. */
const PREPARE_AGAIN_MS = 600_000;

const { INTEGER, FLOAT, STRING } = FieldType;
/** Earlier versions wrote a point for each partition. What they wrote has the tag, and is read with it. */
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
  readonly isPublic = true;
  private readonly database: string;
  private readonly client: InfluxDB;
  private readonly log: Log;
  private readonly secrets: readonly string[];
  private setup: Setup | undefined;
  private prepareAtMs = 0;
  private reported = '';

  private constructor(url: string, log: Log) {
    const { protocol, hostname, port, username, password, pathname } = new URL(url);
    this.database = pathname.slice(1);
    this.log = log.child({ part: 'influxdb' });
    this.secrets = [decodeURIComponent(password), password];
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
    await series.prepare().catch(({ message, status }: InfluxError) => {
      series.log.warn({ why: message, status }, 'InfluxDB does not answer yet; votes are not affected');
    });
    return series;
  }

  async close(): Promise<void> {}

  /** @throws PointsRefused, InfluxError */
  async write(points: readonly Point[]): Promise<void> {
    if (!this.setup || performance.now() > this.prepareAtMs) await this.prepare();
    const sent = points.map(({ measurement, tags, fields, atMs }) => ({
      ...{ measurement, tags, fields },
      timestamp: new Date(atMs),
    }));
    const { policy } = this;
    try {
      await this.client.writePoints(sent, { ...(policy ? { retentionPolicy: policy } : {}), precision: 's' });
    } catch (error) {
      const found = influxError(error, this.secrets);
      const { status, message } = found;
      // The database or the policy was deleted, so it is created again before the next attempt.
      if (status === 404 || /retention policy not found/.test(message)) this.setup = undefined;
      else if (status === 400 || status === 413 || status === 422) throw refusalOf(found);
      throw found;
    }
  }

  /** @throws InfluxError */
  async samples(poll: string, round: number, { fromMs, toMs, stepMs }: Window): Promise<Sample[]> {
    const isRecent = fromMs > Date.now() - RAW.durationMs;
    const policy = isRecent || !this.setup?.policies.has(MINUTES.name) ? this.policy : MINUTES.name;
    const from = policy ? `${policy}.` : '';
    const where = `WHERE poll = '${poll}' AND round = '${round}' AND time >= ${fromMs}ms AND time < ${toMs}ms`;
    const steps = `time(${stepMs}ms)`;
    try {
      const [votes = [], ballots = []] = await this.client.query<Row>(
        [
          `SELECT last(received) AS value FROM ${from}votes ${where} GROUP BY ${steps}, partition FILL(none)`,
          `SELECT last(count) AS value FROM ${from}ballots ${where} GROUP BY ${steps}, option, partition FILL(none)`,
        ],
        { precision: 'ms' },
      );
      return [...votes, ...ballots].map(({ time, partition, option, value }) => {
        return { atMs: time.getTime(), partition, option, value };
      });
    } catch (error) {
      throw influxError(error, this.secrets);
    }
  }

  /** The policy of raw points; undefined for the default of the database, where the policy does not exist. */
  private get policy(): string | undefined {
    return !this.setup || this.setup.policies.has(RAW.name) ? RAW.name : undefined;
  }

  /** Prepares what may be prepared, and says once what may not. @throws InfluxError if the database does not answer */
  private async prepare(): Promise<void> {
    this.setup = await setUp(this.client, this.database, schema, this.secrets);
    const { missing } = this.setup;
    this.prepareAtMs = missing.length > 0 ? performance.now() + PREPARE_AGAIN_MS : Number.POSITIVE_INFINITY;
    if (missing.length === 0) this.log.debug('the database is prepared');
    else if (missing.join() !== this.reported) {
      const policy = this.policy ?? 'the default policy';
      const message = 'InfluxDB refused to prepare something; points are written all the same, see docs/OPERATIONS.md';
      this.log.warn({ missing, policy }, message);
    }
    this.reported = missing.join();
  }
}

/** In a batch that was accepted in part, the other points are stored, and how many were refused is only known roughly. */
function refusalOf({ message, status }: InfluxError): PointsRefused {
  const isPartial = status !== 413 && /partial write/.test(message);
  const dropped = Number(/dropped=(\d+)/.exec(message)?.[1] ?? 0);
  return new PointsRefused(message, isPartial ? Math.max(1, dropped) : undefined);
}

interface Row {
  readonly time: Date;
  readonly partition: string;
  readonly option?: string;
  readonly value: number;
}
