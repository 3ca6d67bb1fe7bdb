import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { Result } from '../../core/voting/result.ts';
import { withChange } from '../../dashboards/stream/stream.ts';
import { action, Client, ClientError, type ClientFlags, print, withClientFlags } from './client.ts';
import { resultLine, resultPicture } from './picture.ts';
import { table } from './table.ts';
import { readTemplate } from './template.ts';

/** A stream that broke is opened again after this, ms. */
const RETRY_MS = 1_000;
const CLEAR = '\x1b[H\x1b[2J';

interface PollInfo {
  readonly poll: string;
  readonly title: string;
  readonly kind: string;
  readonly status: string;
  readonly round: number;
  readonly room?: string;
}

interface CreateFlags extends ClientFlags {
  readonly file?: string;
  readonly title?: string;
  readonly kind?: string;
  readonly room?: string;
  readonly option?: readonly string[];
  readonly open?: boolean;
}

/** Adds `pollcast poll …`. */
export function addPoll(program: Command): void {
  const poll = program.command('poll').description('Create, open, close and look at polls');

  withClientFlags(poll.command('list').description('All polls')).action(
    action(async (flags: ClientFlags) => {
      const { polls } = await (await Client.of(flags)).json('GET', '/api/polls');
      print(flags, polls as PollInfo[], pollTable);
    }),
  );

  withClientFlags(poll.command('create [poll]').description('Create a poll, or the polls of a file'))
    .option('-f, --file <file>', 'YAML or JSON; see examples/ and examples/poll.schema.json')
    .option('--title <text>', 'the question')
    .option('--kind <kind>', 'single, motion, multiple, rating, ranking, …; default single')
    .option('--room <room>', 'the room it is asked in')
    .option('--option <key=label>', 'a possible answer; give it once for each', collect, [])
    .option('--open', 'open it at once')
    .action(action(create));

  for (const [step, about] of Object.entries(STEPS)) {
    withClientFlags(poll.command(`${step} <poll>`).description(about)).action(
      action(async (id: string, flags: ClientFlags) => {
        const answer = await (await Client.of(flags)).json('POST', `/api/polls/${encodeURIComponent(id)}/${step}`);
        print(flags, answer as PollInfo, ({ poll, status, round }) => `  ${poll} is ${status}, round ${round}`);
      }),
    );
  }

  withClientFlags(poll.command('result <poll>').description('The result now'))
    .option('--round <number>', 'an earlier round')
    .action(
      action(async (id: string, flags: ClientFlags & { round?: string }) => {
        const client = await Client.of(flags);
        print(flags, (await client.json('GET', pathOf(id, 'result', flags.round))) as Result, resultPicture);
      }),
    );

  withClientFlags(poll.command('watch <poll>').description('The result as it moves, until it is final')).action(
    action(watch),
  );

  withClientFlags(poll.command('export <poll>').description('Results of all rounds, or the ballots of one'))
    .option('--format <format>', 'json (results), csv (results) or ballots (CSV)', 'json')
    .option('--round <number>', 'ballots: of an earlier round')
    .option('-o, --output <file>', 'where to; default standard output')
    .action(action(exportPoll));
}

const STEPS = {
  open: 'Open a draft',
  close: 'Close an open poll: every vote accepted until then counts',
  reopen: 'Open a closed poll for another round',
};

async function create(id: string | undefined, flags: CreateFlags): Promise<void> {
  const { file, title, kind, room, option = [], open } = flags;
  const given = { poll: id, title, kind, room, ...(option.length > 0 ? { options: option.map(toOption) } : {}) };
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (file === undefined && id === undefined) throw new ClientError('say which poll: an id and --title, or --file');
  const drafts = file === undefined ? [{}] : await readTemplate(file);
  if (drafts.length > 1 && id !== undefined) {
    throw new ClientError(`${file} holds ${drafts.length} polls; leave out the id, each has its own`);
  }
  const client = await Client.of(flags);
  const created: PollInfo[] = [];
  for (const [i, draft] of drafts.entries()) {
    const poll = { ...draft, ...own };
    try {
      const made = (await client.json('POST', '/api/polls', poll)) as PollInfo;
      created.push(open ? await client.json('POST', `/api/polls/${made.poll}/open`) : made);
    } catch (error) {
      const name = 'poll' in poll ? String(poll.poll) : `number ${i + 1}`;
      const before = created.length > 0 ? `${created.map(({ poll }) => poll).join(', ')} created; ` : '';
      throw new ClientError(`${before}poll ${name}: ${(error as Error).message}`);
    }
  }
  print(flags, created, pollTable);
}

async function watch(id: string, flags: ClientFlags): Promise<void> {
  const client = await Client.of(flags);
  let result: Result | undefined;
  const show = (event: string, data: unknown) => {
    if (flags.json) process.stdout.write(`${JSON.stringify({ event, data })}\n`);
    else if (!result) return;
    else if (process.stdout.isTTY) process.stdout.write(`${CLEAR}${resultPicture(result)}\n`);
    else process.stdout.write(`${resultLine(result)}\n`);
  };
  for (let isFirst = true; !result?.final; isFirst = false) {
    try {
      const bytes = await client.stream(`/api/polls/${encodeURIComponent(id)}/stream`, new AbortController().signal);
      const events = bytes.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      for await (const { event = '', data } of events) {
        const value = JSON.parse(data);
        if (event === 'result' || event === 'final') result = value as Result;
        else if (event === 'change' && result) result = withChange(result, value);
        if (event !== 'status') show(event, value);
        if (result?.final) return;
      }
    } catch (error) {
      // What was wrong from the beginning does not get better by asking again.
      if (isFirst) throw error;
    }
    process.stderr.write('pollcast: the stream ended; opening it again\n');
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function exportPoll(id: string, flags: ClientFlags & { format: string; round?: string; output?: string }) {
  const paths: Record<string, string> = {
    json: pathOf(id, 'results'),
    csv: pathOf(id, 'result.csv'),
    ballots: pathOf(id, 'ballots.csv', flags.round),
  };
  const path = paths[flags.format];
  if (path === undefined) throw new ClientError(`--format: json, csv or ballots, not ${flags.format}`);
  await save(await Client.of(flags), path, flags.output);
}

/** Writes an answer to a file, or to standard output. */
export async function save(client: Client, path: string, output: string | undefined): Promise<void> {
  const source = Readable.fromWeb((await client.stream(path)) as Parameters<typeof Readable.fromWeb>[0]);
  if (output === undefined) await pipeline(source, process.stdout, { end: false });
  else await pipeline(source, createWriteStream(output));
  if (output !== undefined) process.stderr.write(`  written to ${output}\n`);
}

/** The path of something about a poll, in a round if one is given. */
export function pathOf(id: string, what: string, round?: string): string {
  const query = round === undefined ? '' : `?round=${encodeURIComponent(round)}`;
  return `/api/polls/${encodeURIComponent(id)}/${what}${query}`;
}

function pollTable(polls: readonly PollInfo[]): string {
  return table(
    ['poll', 'kind', 'status', 'round', 'room', 'title'],
    polls.map(({ poll, kind, status, round, room, title }) => [poll, kind, status, round, room, title]),
  );
}

function toOption(text: string): { key: string; label: string } {
  const [key = ''] = text.split('=', 1);
  return { key, label: text.slice(key.length + 1) || key };
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
