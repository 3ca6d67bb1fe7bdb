import type { FastifyRequest } from 'fastify';
import { type Admitted, authenticate } from '../../core/devices/credentials.ts';
import { pseudonymOf } from '../../core/devices/pseudonym.ts';
import { Refusal } from '../../core/runtime/refusal.ts';
import { WITHDRAWN } from '../../core/voting/count/ballot.ts';
import { partitionOf } from '../../core/voting/count/partition.ts';
import { votersOf } from '../../core/voting/poll/electorate.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import type { Audience } from '../../core/voting/result/visibility.ts';
import type { Context } from './context.ts';

/** What somebody may see of a poll. */
interface Beholder {
  readonly audience: Audience;
  /** Whose ballot makes the audience `voter`. */
  readonly voter?: Admitted;
}

const PUBLIC: Beholder = { audience: 'public' };

/** The audience of a request, see `beholderOf`. @throws Refusal wrong-credentials, wrong-token */
export async function audienceOf(context: Context, request: FastifyRequest, poll: Poll): Promise<Audience> {
  return (await beholderOf(context, request, poll)).audience;
}

/**
 * Who asks to see a poll: `operator` with the token of an operator of the poll’s room, `voter` with the MQTT credentials of a device
 * with a ballot in the round (`Authorization: Basic …`), otherwise `public`. @throws Refusal wrong-credentials, wrong-token
 */
export async function beholderOf(context: Context, request: FastifyRequest, poll: Poll): Promise<Beholder> {
  const { operators, store, guests } = context;
  if (operators.seesFigures(request, poll.definition.room)) return { audience: 'operator' };
  const given = credentialsOf(request);
  if (!given) return PUBLIC;
  const [device, secret] = given;
  const admitted = await authenticate(store.registry, guests, device, secret);
  if (!admitted) throw new Refusal('wrong-credentials', 'unknown device or wrong secret');
  const { definition, round, pseudonymKey: key } = poll;
  const nameOf = (voter: string) => (key === undefined ? voter : pseudonymOf(key, voter));
  const partition = partitionOf(nameOf(device), store.log.partitions);
  const voters = votersOf(admitted.elector, definition).map(({ voter }) => nameOf(voter));
  const ballots = await store.ballots.of(partition, definition.poll, round, voters);
  const hasVoted = ballots.some((ballot) => ballot && ballot.choice !== WITHDRAWN);
  return hasVoted ? { audience: 'voter', voter: admitted } : PUBLIC;
}

/** The MQTT credentials in a request; undefined if it has none. */
export function credentialsOf(request: FastifyRequest): [device: string, secret: string] | undefined {
  const given = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return given === undefined ? undefined : deviceAndSecret(given);
}

/** Decodes the user name and password of basic credentials [RFC 7617]. */
function deviceAndSecret(encoded: string): [device: string, secret: string] {
  const text = Buffer.from(encoded, 'base64').toString();
  const [device = ''] = text.split(':', 1);
  return [device, text.slice(device.length + 1)];
}
