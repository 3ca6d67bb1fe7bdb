import { parseSubscribe, type RequestedFilter } from './control-packets.ts';
import { frameLength, packetType, SUBACK } from './frame.ts';

/** SUBACK’s return code for a refused filter. */
const REFUSED = 0x80;

/**
 * Completes SUBACKs. Aedes answers a filter that is repeated within a SUBSCRIBE packet once, but every filter must be answered,
 * in order [MQTT-3.8.4-5].
 */
export class RepeatedFilters {
  /** The filters of SUBSCRIBE packets with repetitions that have not been answered, by packet id. */
  private readonly pending = new Map<number, readonly RequestedFilter[]>();

  /** Call for every SUBSCRIBE packet that is forwarded to Aedes. */
  subscribing(bytes: Buffer, start: number, end: number): void {
    const { packetId, filters } = parseSubscribe(bytes, start, end);
    if (new Set(filters.map(({ topic }) => topic)).size < filters.length) this.pending.set(packetId, filters);
    else this.pending.delete(packetId);
  }

  /** Whole packets that Aedes sends, with complete SUBACKs. */
  complete(bytes: Buffer): Buffer {
    if (this.pending.size === 0) return bytes;
    const parts: Buffer[] = [];
    for (let at = 0, length = 0; at < bytes.length; at += length) {
      length = frameLength(bytes, at);
      if (length <= 0) return bytes;
      const packet = bytes.subarray(at, at + length);
      parts.push(packetType(packet[0] as number) === SUBACK ? this.completed(packet) : packet);
    }
    return Buffer.concat(parts);
  }

  private completed(packet: Buffer): Buffer {
    const body = packet.length - remainingLength(packet);
    const packetId = packet.readUInt16BE(body);
    const filters = this.pending.get(packetId);
    if (!filters) return packet;
    this.pending.delete(packetId);
    const topics = [...new Set(filters.map(({ topic }) => topic))];
    const codes = filters.map(({ topic, qos }) => {
      const code = packet[body + 2 + topics.indexOf(topic)];
      return code === REFUSED ? REFUSED : qos;
    });
    return Buffer.concat([
      packet.subarray(0, 1),
      encodedLength(2 + codes.length),
      packet.subarray(body, body + 2),
      Buffer.from(codes),
    ]);
  }
}

function remainingLength(packet: Buffer): number {
  let bytes = 1;
  while (((packet[bytes] as number) & 0x80) !== 0) bytes++;
  return packet.length - bytes - 1;
}

/** The Remaining Length field [MQTT-2.2.3]. */
function encodedLength(length: number): Buffer {
  const bytes: number[] = [];
  for (let rest = length; bytes.length === 0 || rest > 0; rest >>= 7)
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  return Buffer.from(bytes);
}
