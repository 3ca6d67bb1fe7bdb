/** The control packet types that the gate distinguishes [MQTT-2.2.1]. */
export const CONNECT = 1;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBSCRIBE = 8;
export const UNSUBSCRIBE = 10;
export const PINGREQ = 12;
/** The answer to PINGREQ, as a whole packet. */
export const PINGRESP: Buffer = Buffer.from([0xd0, 0]);
export const DISCONNECT = 14;
export const SUBACK = 9;
export const UNSUBACK = 11;
export const AUTH = 15;

/** Maximum number of bytes in the Remaining Length field [MQTT-2.2.3]. */
const MAX_LENGTH_BYTES = 4;

/** The control packet type in a packet's first byte. */
export function packetType(firstByte: number): number {
  return firstByte >> 4;
}

/**
 * The total length in bytes of the MQTT control packet that begins at `at`, including the fixed header; 0 if the Remaining
 * Length field is still incomplete, -1 if that field is malformed (more than four bytes [MQTT-2.2.3]).
 */
export function frameLength(bytes: Buffer, at: number): number {
  let length = 0;
  for (let i = 1; i <= MAX_LENGTH_BYTES; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return 0;
    length += (byte & 0x7f) * 128 ** (i - 1);
    if ((byte & 0x80) === 0) return 1 + i + length;
  }
  return -1;
}

/** Where the whole packet that begins at `at` ends. @throws Error if it is malformed, or not all there */
export function frameEnd(bytes: Buffer, at: number): number {
  const length = frameLength(bytes, at);
  if (length <= 0 || at + length > bytes.length) throw new Error('a packet to a client was not whole');
  return at + length;
}
