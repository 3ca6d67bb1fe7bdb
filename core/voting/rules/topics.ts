import { isIdentifier } from './text/identifier.ts';

/** A parsed topic that a device may publish to. */
export type DeviceTopic =
  | { to: 'poll'; poll: string }
  | { to: 'room'; room: string }
  | { to: 'status'; device: string };

/** A parsed topic that a device may subscribe to. */
export type StateTopic =
  | { of: 'poll'; poll: string }
  | { of: 'room'; room: string }
  | { of: 'result'; poll: string }
  | { of: 'receipt'; device: string };

export const pollTopic = (poll: string): string => `poll/${poll}`;
export const roomTopic = (room: string): string => `room/${room}`;
export const resultTopic = (poll: string): string => `result/${poll}`;
export const receiptTopic = (device: string): string => `receipt/${device}`;
export const statusTopic = (device: string): string => `device/${device}/status`;

/** True for every topic below `vote/`, even a malformed one: messages to it must never reach a subscriber. */
export const isVoteTopic = (topic: string): boolean => topic.startsWith('vote/');

/** Parses a PUBLISH topic; undefined if devices may not publish to it. */
export function parseDeviceTopic(topic: string): DeviceTopic | undefined {
  const levels = topic.split('/');
  const [first, second, third] = levels;
  if (first === 'vote' && levels.length === 2 && isIdentifier(second)) return { to: 'poll', poll: second };
  if (first === 'vote' && levels.length === 3 && second === 'room' && isIdentifier(third)) {
    return { to: 'room', room: third };
  }
  if (first === 'device' && levels.length === 3 && isIdentifier(second) && third === 'status') {
    return { to: 'status', device: second };
  }
  return undefined;
}

/** Parses a SUBSCRIBE topic filter; undefined for wildcards and for anything else that is not offered to devices. */
export function parseStateTopic(filter: string): StateTopic | undefined {
  const [first, id, ...rest] = filter.split('/');
  if (rest.length > 0 || !isIdentifier(id)) return undefined;
  switch (first) {
    case 'poll':
      return { of: 'poll', poll: id };
    case 'room':
      return { of: 'room', room: id };
    case 'result':
      return { of: 'result', poll: id };
    case 'receipt':
      return { of: 'receipt', device: id };
    default:
      return undefined;
  }
}
