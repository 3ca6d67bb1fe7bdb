import type { Device } from '../devices/device.ts';
import { Refusal } from '../runtime/refusal.ts';
import type { Definition } from '../voting/kinds/definition.ts';
import { doubleVoteProblem, doubleVotes } from '../voting/poll/mandates.ts';
import type { Poll, Status } from '../voting/poll/poll.ts';

/** No mandate may vote twice, whatever is stored about the devices. @throws Refusal mandate-twice */
export function demandSingleVotes(definition: Definition, devices: readonly Device[]): void {
  const problems = doubleVotes(devices, definition).map(doubleVoteProblem);
  if (problems.length === 0) return;
  const why = `poll ${definition.poll} cannot be opened, because somebody would vote more than once`;
  throw new Refusal('mandate-twice', why, problems);
}

/** @throws Refusal wrong-status unless the poll has one of these statuses */
export function demandStatus({ definition: { poll: id }, status }: Poll, ...allowed: readonly Status[]): void {
  if (allowed.includes(status)) return;
  throw new Refusal('wrong-status', `poll ${id} has status ${status}; this requires status ${allowed.join(' or ')}`);
}
