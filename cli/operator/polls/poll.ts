import type { Command } from 'commander';
import type { Draft, PollAnswer, Result } from '../../../client/answers.ts';
import { type ApiClient, pollPath } from '../../../client/api.ts';
import { followPoll } from '../../../client/stream.ts';
import {
  action,
  type ClientFlags,
  clientOf,
  collect,
  print,
  type RoundFlags,
  UsageError,
  withClientFlags,
} from '../flags.ts';
import { save } from '../output.ts';
import { table } from '../table.ts';
import { resultLine, resultText } from './result-text.ts';
import { readTemplate } from './template.ts';

const CLEAR = '\x1b[H\x1b[2J';

interface CreateFlags extends ClientFlags {
  readonly file?: string;
  readonly title?: string;
  readonly kind?: string;
  readonly room?: string;
  readonly option?: readonly string[];
  readonly open?: boolean;
}

interface ChangeFlags extends Omit<CreateFlags, 'open'> {
  readonly remove?: readonly string[];
  readonly basedOn?: string;
}

/** Adds `pollcast poll …`. */
export function addPoll(program: Command): void {
  const poll = program.command('poll').description('Create, open, close and view polls');

  withClientFlags(poll.command('list').description('List all polls')).action(
    action(async (flags: ClientFlags) => print(flags, await (await clientOf(flags)).polls(), pollTable)),
  );

  withClientFlags(poll.command('create [poll]').description('Create a poll, or all polls in a file'))
    .option('-f, --file <file>', 'YAML or JSON; see examples/ and examples/poll.schema.json')
    .option('--title <text>', 'the question')
    .option('--kind <kind>', 'single, motion, multiple, rating, ranking, …; default: single')
    .option('--room <room>', 'the room in which it is asked')
    .option('--option <key=label>', 'a possible answer (repeat the flag for several)', collect, [])
    .option('--open', 'open it immediately')
    .action(action(create));

  withClientFlags(
    poll
      .command('change <poll>')
      .description('Change settings of a draft, or the visibility or moderation of any poll'),
  )
    .option('-f, --file <file>', 'YAML or JSON with the settings to change')
    .option('--title <text>', 'the question')
    .option('--kind <kind>', 'single, motion, multiple, rating, ranking, …')
    .option('--room <room>', 'the room in which it is asked')
    .option(
      '--option <key=label>',
      'a possible answer (repeat the flag for several); replaces all options',
      collect,
      [],
    )
    .option('--remove <setting>', 'a setting to remove (repeat the flag for several)', collect, [])
    .option('--based-on <version>', 'refuse if the poll has been changed since this version; see poll list')
    .action(action(change));

  for (const [step, about] of Object.entries(STEPS)) {
    withClientFlags(poll.command(`${step} <poll>`).description(about)).action(
      action(async (id: string, flags: ClientFlags) => {
        const answer = await (await clientOf(flags)).step(id, step as keyof typeof STEPS);
        print(flags, answer, ({ poll, status, round }) => `  ${poll} is ${status}, round ${round}`);
      }),
    );
  }

  withClientFlags(
    poll
      .command('draw <poll> <order>')
      .description(
        'Enter a lot that was drawn between undecided options: their keys in the order drawn, such as b,c,a',
      ),
  ).action(
    action(async (id: string, order: string, flags: ClientFlags) => {
      const client = await clientOf(flags);
      await client.enterLot(
        id,
        order.split(',').map((key) => key.trim()),
      );
      print(flags, await client.result(id), resultText);
    }),
  );

  withClientFlags(
    poll
      .command('withdraw <poll> <option>')
      .description('Withdraw an option after voting: it keeps its figures, but cannot win'),
  ).action(
    action(async (id: string, option: string, flags: ClientFlags) => {
      const client = await clientOf(flags);
      await client.withdrawOption(id, option);
      print(flags, await client.result(id), resultText);
    }),
  );

  withClientFlags(poll.command('result <poll>').description('Show the current result'))
    .option('--round <number>', 'an earlier round')
    .action(
      action(async (id: string, flags: RoundFlags) => {
        print(flags, await (await clientOf(flags)).result(id, flags.round), resultText);
      }),
    );

  withClientFlags(poll.command('watch <poll>').description('Follow the result until it is final')).action(
    action(watch),
  );

  withClientFlags(poll.command('export <poll>').description('Export the results of all rounds, or the ballots of one'))
    .option('--format <format>', 'json (results), csv (results) or ballots (CSV)', 'json')
    .option('--round <number>', 'for ballots: an earlier round')
    .option('-o, --output <file>', 'output file; default: standard output')
    .action(action(exportPoll));
}

const STEPS = {
  open: 'Open a draft',
  close: 'Close an open poll; every vote accepted until then counts',
  continue: 'Continue the last round of a closed poll, with its votes',
  reopen: 'Open a closed poll for another round',
  hide: 'Hide the figures from everybody but operators for now',
  show: 'Show the figures again',
};

async function create(id: string | undefined, flags: CreateFlags): Promise<void> {
  const { file, title, kind, room, option = [], open } = flags;
  const given = { poll: id, title, kind, room, ...(option.length > 0 ? { options: option.map(toOption) } : {}) };
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (file === undefined && id === undefined) throw new UsageError('which poll? Give an id and --title, or --file');
  const drafts = file === undefined ? [{}] : await readTemplate(file);
  if (drafts.length > 1 && id !== undefined) {
    throw new UsageError(`${file} contains ${drafts.length} polls; omit the id, because each has its own`);
  }
  const client = await clientOf(flags);
  const created: PollAnswer[] = [];
  for (const [i, draft] of drafts.entries()) {
    const poll = { ...draft, ...own } as Draft;
    try {
      const made = await client.createPoll(poll);
      created.push(open ? await client.step(made.poll, 'open') : made);
    } catch (error) {
      const name = 'poll' in poll ? String(poll.poll) : `number ${i + 1}`;
      const before = created.length > 0 ? `${created.map((one) => one.poll).join(', ')} created; ` : '';
      (error as Error).message = `${before}poll ${name}: ${(error as Error).message}`;
      throw error;
    }
  }
  print(flags, created, pollTable);
}

async function change(id: string, flags: ChangeFlags): Promise<void> {
  const { file, title, kind, room, option = [], remove = [], basedOn } = flags;
  const version = basedOn === undefined ? undefined : Number(basedOn);
  if (version !== undefined && !(Number.isSafeInteger(version) && version > 0)) {
    throw new UsageError(`--based-on: expected a version, such as 3, not ${basedOn}`);
  }
  const polls = file === undefined ? [{}] : await readTemplate(file);
  const own = polls.length === 1 ? polls[0] : polls.find(({ poll }) => poll === id);
  if (!own || (own.poll ?? id) !== id) throw new UsageError(`${file}: contains no poll with the id ${id}`);
  const { poll: _, ...settings } = own;
  const given = { title, kind, room, ...(option.length > 0 ? { options: option.map(toOption) } : {}) };
  const changes = { ...settings, ...given, ...Object.fromEntries(remove.map((setting) => [setting, null])) };
  const answer = await (await clientOf(flags)).changePoll(id, changes, version);
  print(flags, answer, ({ poll, version: now }) => `  ${poll} has been changed; it is now at version ${now}`);
}

/** Follows a result until it is final. If the API refuses the first request, this is an error; later refusals are retried. */
async function watch(id: string, flags: ClientFlags): Promise<void> {
  const client = await clientOf(flags);
  // This first request makes the command fail if the poll does not exist, instead of waiting for it.
  await client.result(id);
  await new Promise<void>((resolve) => {
    const stop = followPoll(
      id,
      {
        onResult(result) {
          show(result, flags);
          if (!result.final) return;
          stop();
          resolve();
        },
        onLine(line) {
          if (line !== 'live') process.stderr.write('pollcast: the stream ended; reconnecting\n');
        },
      },
      { base: client.base, headers: client.headers },
    );
  });
}

function show(result: Result, { json }: ClientFlags): void {
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else if (process.stdout.isTTY) process.stdout.write(`${CLEAR}${resultText(result)}\n`);
  else process.stdout.write(`${resultLine(result)}\n`);
}

async function exportPoll(id: string, flags: RoundFlags & { format: string; output?: string }): Promise<void> {
  const paths: Record<string, string> = {
    json: pollPath(id, 'results'),
    csv: pollPath(id, 'result.csv'),
    ballots: pollPath(id, 'ballots.csv', flags.round),
  };
  const path = paths[flags.format];
  if (path === undefined) throw new UsageError(`--format: expected json, csv or ballots, not ${flags.format}`);
  const client: ApiClient = await clientOf(flags);
  await save(await client.get(path), flags.output);
}

function pollTable(polls: readonly PollAnswer[]): string {
  return table(
    ['poll', 'kind', 'status', 'round', 'room', 'title', 'version'],
    polls.map(({ poll, kind, status, round, version, room, title }) => [
      poll,
      kind,
      status,
      round,
      room,
      title,
      version,
    ]),
  );
}

function toOption(text: string): { key: string; label: string } {
  const [key = ''] = text.split('=', 1);
  return { key, label: text.slice(key.length + 1) || key };
}
