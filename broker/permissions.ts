import {
  type DeviceTopic,
  isVoteTopic,
  parseDeviceTopic,
  parseStateTopic,
  statusTopic,
} from '../core/voting/topics.ts';

/** What a device may publish: votes, and its own status. */
export type Publication =
  | { readonly kind: 'vote'; readonly topic: Extract<DeviceTopic, { to: 'poll' | 'room' }> | undefined }
  | { readonly kind: 'status' }
  | { readonly kind: 'forbidden' };

/** Sorts a PUBLISH topic. Everything that is not offered is forbidden, `$SYS` with it. */
export function publication(topic: string, device: string): Publication {
  const parsed = parseDeviceTopic(topic);
  if (parsed?.to === 'status') return { kind: parsed.device === device ? 'status' : 'forbidden' };
  if (parsed) return { kind: 'vote', topic: parsed };
  // A vote topic that names no possible poll is a device's mistake and gets a receipt, as an unknown poll does.
  return isVoteTopic(topic) ? { kind: 'vote', topic: undefined } : { kind: 'forbidden' };
}

/** True when a device may subscribe to `filter`: polls, rooms, results and its own receipts, each by name. */
export function maySubscribe(filter: string, device: string): boolean {
  const topic = parseStateTopic(filter);
  return topic !== undefined && (topic.of !== 'receipt' || topic.device === device);
}

/** True when a device may leave a will on `topic`: its own status, nothing else. */
export function mayWill(topic: string, device: string): boolean {
  return topic === statusTopic(device);
}
