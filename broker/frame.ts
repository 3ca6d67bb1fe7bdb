/** Control packet types the gate looks at [MQTT-2.2.1]. */
export const CONNECT = 1;
export const PUBLISH = 3;

/** The most bytes the Remaining Length field may have [MQTT-2.2.3]. */
const MAX_LENGTH_BYTES = 4;

/** The control packet type in a packet's first byte. */
export function packetType(firstByte: number): number {
  return firstByte >> 4;
}

/**
 * The whole length of the MQTT control packet that begins at `at`, in bytes: fixed header and Remaining Length.
 * 0 when the length field is not all there yet, -1 when it is malformed (a fifth byte [MQTT-2.2.3]).
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
