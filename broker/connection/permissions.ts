import {
  type DeviceTopic,
  isVoteTopic,
  parseDeviceTopic,
  parseStateTopic,
  statusTopic,
} from '../../core/voting/rules/topics.ts';

/** The classification of a PUBLISH: a vote, the device’s own status, or forbidden. */
export type Publication =
  | { readonly is: 'vote'; readonly topic: Extract<DeviceTopic, { to: 'poll' | 'room' }> | undefined }
  | { readonly is: 'status' }
  | { readonly is: 'forbidden' };

/** Classifies the topic of a PUBLISH. Every topic except votes and the device’s own status is forbidden, including `$SYS`. */
export function publication(topic: string, device: string): Publication {
  const parsed = parseDeviceTopic(topic);
  if (parsed?.to === 'status') return { is: parsed.device === device ? 'status' : 'forbidden' };
  if (parsed) return { is: 'vote', topic: parsed };
  // A vote topic without a valid poll or room id is a mistake of the device. The vote is rejected with a receipt.
  return isVoteTopic(topic) ? { is: 'vote', topic: undefined } : { is: 'forbidden' };
}

/** True if a device may subscribe to `filter`: polls, rooms, results and its own receipts, without wildcards. */
export function maySubscribe(filter: string, device: string): boolean {
  const topic = parseStateTopic(filter);
  return topic !== undefined && (topic.of !== 'receipt' || topic.device === device);
}

/** True if a device’s will may have this topic: only the topic of its own status. */
export function mayWill(topic: string, device: string): boolean {
  return topic === statusTopic(device);
}
