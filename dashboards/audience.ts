import type { FastifyRequest } from 'fastify';
import { whoIs } from '../core/devices/credentials.ts';
import { pseudonymOf } from '../core/devices/pseudonym.ts';
import { votersOf } from '../core/voting/electorate.ts';
import { WITHDRAWN } from '../core/voting/fold.ts';
import { partitionOf } from '../core/voting/partition.ts';
import type { Poll } from '../core/voting/poll.ts';
import type { Audience } from '../core/voting/visibility.ts';
import type { Context } from './context.ts';
import { Problem } from './problem.ts';

/**
 * Who asks about a poll: an operator by token; a voter by its MQTT credentials (`Authorization: Basic …`), once its ballot
 * counts in the round; or anybody. @throws Problem 401 with credentials that are wrong
 */
export async function audienceOf(context: Context, request: FastifyRequest, poll: Poll): Promise<Audience> {
  const { operators, store, guests } = context;
  if (operators.isOperator(request)) return 'operator';
  const given = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) return 'public';
  const [device, secret] = deviceAndSecret(given);
  const elector = await whoIs(store.registry, guests, device, secret);
  if (!elector) throw new Problem(401, 'wrong-credentials', 'unknown device or wrong secret');
  const { definition, round, pseudonymKey: key } = poll;
  const nameOf = (voter: string) => (key === undefined ? voter : pseudonymOf(key, voter));
  const partition = partitionOf(nameOf(device), store.log.partitions);
  const voters = votersOf(elector, definition).map(({ voter }) => nameOf(voter));
  const ballots = await store.counts.ballots(partition, definition.poll, round, voters);
  return ballots.some((ballot) => ballot && ballot.choice !== WITHDRAWN) ? 'voter' : 'public';
}

/** User name and password of basic credentials [RFC 7617]. */
function deviceAndSecret(encoded: string): [device: string, secret: string] {
  const text = Buffer.from(encoded, 'base64').toString();
  const [device = ''] = text.split(':', 1);
  return [device, text.slice(device.length + 1)];
}
