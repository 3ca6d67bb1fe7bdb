import type { Command } from 'commander';
import type { NewOperatorAnswer, OperatorAnswer } from '../../client/answers.ts';
import { ROLES } from '../../core/operators/operator.ts';
import { action, type ClientFlags, clientOf, collect, print, withClientFlags } from './flags.ts';
import { table } from './table.ts';

interface AddFlags extends ClientFlags {
  readonly role: string;
  readonly room: readonly string[];
  readonly expires?: string;
}

/** Adds `pollcast operator …`. */
export function addOperator(program: Command): void {
  const operator = program.command('operator').description('Create and revoke operators with tokens of their own');

  withClientFlags(
    operator.command('list').description('List all named operators, and sessions of the identity provider'),
  ).action(
    action(async (flags: ClientFlags) => print(flags, await (await clientOf(flags)).operators(), operatorTable)),
  );

  withClientFlags(operator.command('add <name>').description('Create an operator; the token is shown only once'))
    .requiredOption('--role <role>', `what the operator may do: ${ROLES.join(', ')}`)
    .option('--room <room>', 'a room to which the role is limited; may be repeated; default: all rooms', collect, [])
    .option('--expires <time>', 'when the token stops working, such as 2030-01-31T18:00:00Z; default: never')
    .action(
      action(async (name: string, { role, room, expires, ...flags }: AddFlags) => {
        const client = await clientOf(flags);
        const rooms = room.length > 0 ? room : null;
        const added = await client.createOperator({ operator: name, role, rooms, expiresAt: expires ?? null });
        print(flags, added, addedText);
      }),
    );

  withClientFlags(
    operator
      .command('expire <name> [time]')
      .description('Set when an operator’s token stops working, such as 2030-01-31T18:00:00Z; without a time: never'),
  ).action(
    action(async (name: string, time: string | undefined, flags: ClientFlags) => {
      const changed = await (await clientOf(flags)).expireOperator(name, time ?? null);
      print(flags, changed, (one) => operatorTable([one]));
    }),
  );

  withClientFlags(
    operator.command('revoke <name...>').description('Make the tokens of operators invalid, and end their streams'),
  ).action(
    action(async (names: readonly string[], flags: ClientFlags) => {
      const client = await clientOf(flags);
      for (const name of names) await client.revokeOperator(name);
      print(flags, { revoked: names }, () => `  revoked ${names.join(', ')}`);
    }),
  );
}

function addedText(added: NewOperatorAnswer): string {
  return [operatorTable([added]), `  token ${added.token}`, '  It is not shown again.'].join('\n');
}

function operatorTable(operators: readonly OperatorAnswer[]): string {
  return table(
    ['operator', 'role', 'rooms', 'created', 'by', 'expires', 'person'],
    operators.map(({ operator, role, rooms, createdAt, createdBy, expiresAt, expired, person }) => {
      const end = expiresAt === null ? 'never' : `${expiresAt}${expired ? ' (expired)' : ''}`;
      const who = [person?.name, person?.subject].filter(Boolean).join(', ');
      return [operator, role, rooms?.join(', ') ?? 'all', createdAt, createdBy, end, who];
    }),
  );
}
