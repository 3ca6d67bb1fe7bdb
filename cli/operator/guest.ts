import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { JoinCodesAnswer, RoomGuestsAnswer } from '../../client/answers.ts';
import { csvRows } from '../../core/runtime/csv.ts';
import { action, type ClientFlags, clientOf, print, UsageError, withClientFlags } from './flags.ts';
import { table } from './table.ts';

interface RoomFlags extends ClientFlags {
  readonly joinBy?: string;
  readonly code?: string;
  readonly newCode?: boolean;
  readonly expect?: string;
}

interface RevokeFlags extends ClientFlags {
  readonly room?: string;
  readonly all?: boolean;
}

interface CodesFlags extends ClientFlags {
  readonly count: string;
  readonly first: string;
  readonly output?: string;
}

/** Adds `pollcast guest …`. */
export function addGuest(program: Command): void {
  const guest = program.command('guest').description('Say how guests get into a room, and revoke guests');

  withClientFlags(guest.command('room <room>').description('Show or change how guests get into a room'))
    .option('--join-by <way>', 'who may join: anyone, code (the room’s code) or codes (one guest per code)')
    .option('--code <code>', 'the room’s code')
    .option('--new-code', 'give the room a new code')
    .option(
      '--expect <number>',
      'how many guests are expected from one address; `default`: as many as the server’s setting says',
    )
    .action(action(changeRoom));

  withClientFlags(guest.command('revoke [guest...]').description('Disconnect guests, and void their credentials'))
    .option('--room <room>', 'all guests and codes of this room')
    .option('--all', 'the guests and codes of all rooms')
    .action(action(revoke));

  withClientFlags(guest.command('codes <room>').description('Print codes, each of which lets one guest into the room'))
    .requiredOption('--count <number>', 'how many codes')
    .option('--first <number>', 'the number of the first one', '1')
    .option('-o, --output <file>', 'CSV file for the codes, readable only by you')
    .action(action(codes));
}

async function changeRoom(room: string, { joinBy, code, newCode, expect, ...flags }: RoomFlags): Promise<void> {
  const changes = {
    ...(joinBy === undefined ? {} : { joinBy }),
    ...(newCode ? { code: null } : code === undefined ? {} : { code }),
    ...(expect === undefined ? {} : { expected: expect === 'default' ? null : numberIn('--expect', expect) }),
  };
  const client = await clientOf(flags);
  const isRead = Object.keys(changes).length === 0;
  const answer = isRead ? await client.roomGuests(room) : await client.changeRoomGuests(room, changes);
  print(flags, answer, roomTable);
}

async function revoke(ids: readonly string[], { room, all, ...flags }: RevokeFlags): Promise<void> {
  const ways = [ids.length > 0, room !== undefined, all === true].filter(Boolean).length;
  if (ways !== 1) throw new UsageError('name the guests, or a room (--room), or all of them (--all)');
  const client = await clientOf(flags);
  if (all) await client.revokeAllGuests();
  if (room !== undefined) await client.revokeRoomGuests(room);
  for (const id of ids) await client.revokeGuest(id);
  const revoked = all ? 'all guests' : room === undefined ? ids.join(', ') : `all guests of ${room}`;
  print(flags, { revoked }, () => `  revoked ${revoked}`);
}

async function codes(room: string, { count, first, output, ...flags }: CodesFlags): Promise<void> {
  const client = await clientOf(flags);
  const answer = await client.joinCodes(room, numberIn('--count', count), numberIn('--first', first));
  if (output === undefined) return print(flags, answer, codesTable);
  const rows = answer.codes.map(({ number, code, url }) => [number, code, url ?? '']);
  await writeFile(output, csvRows([['number', 'code', 'url'], ...rows]), { mode: 0o600, flag: 'wx' });
  print(flags, { codes: rows.length, output }, () => `  ${rows.length} codes in ${output}`);
}

function numberIn(flag: string, text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1) throw new UsageError(`${flag}: expected a whole number from 1, not ${text}`);
  return number;
}

function roomTable({ room, joinBy, code, expected, since }: RoomGuestsAnswer): string {
  return table(
    ['room', 'join by', 'code', 'expected', 'revoked at'],
    [[room, joinBy, code ?? '–', expected ?? 'default', since ?? '–']],
  );
}

function codesTable({ codes: all }: JoinCodesAnswer): string {
  return table(
    ['number', 'code', 'url'],
    all.map(({ number, code, url }) => [number, code, url]),
  );
}
