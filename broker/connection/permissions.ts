import {
  type DeviceTopic,
  isVoteTopic,
  parseDeviceTopic,
  parseStateTopic,
  statusTopic,
} from '../../core/voting/rules/topics.ts';

/**
 * The classification of a PUBLISH: a vote, the device’s own status, or forbidden. The product has no messages for other clients;
 * conformance tests do.
 */
export type Publication =
  | { readonly is: 'vote'; readonly topic: Extract<DeviceTopic, { to: 'poll' | 'room' }> | undefined }
  | { readonly is: 'status' }
  | { readonly is: 'for others' }
  | { readonly is: 'forbidden' };

/** Which topics devices may use. */
export interface Permissions {
  /** Classifies the topic of a PUBLISH. */
  publication(topic: string, device: string): Publication;
  /** True if a device may subscribe to `filter`. */
  maySubscribe(filter: string, device: string): boolean;
  /** True if a device’s will may have this topic. */
  mayWill(topic: string, device: string): boolean;
}

/** Every topic except votes and the device’s own status is forbidden, including `$SYS`. */
export function publication(topic: string, device: string): Publication {
  const parsed = parseDeviceTopic(topic);
  if (parsed?.to === 'status') return { is: parsed.device === device ? 'status' : 'forbidden' };
  if (parsed) return { is: 'vote', topic: parsed };
  // A vote topic without a valid poll or room id is a mistake of the device. The vote is rejected with a receipt.
  return isVoteTopic(topic) ? { is: 'vote', topic: undefined } : { is: 'forbidden' };
}

/** Polls, rooms, results and the device’s own receipts, without wildcards. */
export function maySubscribe(filter: string, device: string): boolean {
  const topic = parseStateTopic(filter);
  return topic !== undefined && (topic.of !== 'receipt' || topic.device === device);
}

/** Only the topic of the device’s own status. */
export function mayWill(topic: string, device: string): boolean {
  return topic === statusTopic(device);
}

/** What devices may do in the product. */
export const DEVICE_PERMISSIONS: Permissions = { publication, maySubscribe, mayWill };
