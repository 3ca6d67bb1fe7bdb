import { PROPERTY } from './properties.ts';

const EMPTY = Buffer.alloc(0);

/** Maximum length in characters of a reason string. */
const MAX_REASON = 200;

/** A packet with its Remaining Length. */
export function packetOf(firstByte: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([Buffer.from([firstByte]), variableOf(length), ...parts]);
}

/** A Variable Byte Integer [MQTT5 1.5.5]. */
export function variableOf(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    rest >>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** Text with its length. */
export function textOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([twoBytes(bytes.length), bytes]);
}

export function twoBytes(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function fourBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Properties with their length. */
export function propertiesOf(...properties: readonly Buffer[]): Buffer {
  const all = Buffer.concat(properties);
  return Buffer.concat([variableOf(all.length), all]);
}

export function byteProperty(id: number, value: number): Buffer {
  return Buffer.from([id, value]);
}

export function twoByteProperty(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([id]), twoBytes(value)]);
}

export function fourByteProperty(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([id]), fourBytes(value)]);
}

export function textProperty(id: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([id]), textOf(text)]);
}

/** A Reason String; nothing without a text. A long text is cut. */
export function reasonProperty(text: string | undefined): Buffer {
  return text === undefined ? EMPTY : textProperty(PROPERTY.reasonString, [...text].slice(0, MAX_REASON).join(''));
}
