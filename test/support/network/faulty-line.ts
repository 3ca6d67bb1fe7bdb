import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What happens to a connection: the first acknowledgement of a vote is swallowed, the first receipt, or the first vote, or only
 * half of the vote arrives. Then the connection is cut, on both sides.
 */
export type Fault = 'no PUBACK' | 'no receipt' | 'no PUBLISH' | 'half a PUBLISH';

/** MQTT packet types. PUBREC acknowledges a PUBLISH at QoS 2. */
const [PUBLISH, PUBACK, PUBREC] = [3, 4, 5];

/** A proxy that forwards MQTT packets, and loses one of each connection for which a fault is planned. */
export class FaultyLine {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** The number of faults that have happened. */
  happened = 0;

  /**
   * @param target the port that each connection is forwarded to, by the number of the connection
   * @param faults the faults of the first connections that reach them; later connections have none
   */
  private constructor(target: (connection: number) => number, faults: readonly Fault[]) {
    let connection = 0;
    this.server = createServer((near) => {
      const far = connect(target(connection++), '127.0.0.1');
      const cut = () => {
        near.destroy();
        far.destroy();
      };
      for (const socket of [near, far]) {
        this.sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.sockets.delete(socket);
          cut();
        });
      }
      const fail = (whenever: (fault: Fault | undefined) => boolean) => {
        if (!whenever(faults[this.happened])) return false;
        this.happened++;
        return true;
      };
      near.on(
        'data',
        packets((packet) => {
          const isVote = typeOf(packet) === PUBLISH;
          if (isVote && fail((fault) => fault === 'no PUBLISH')) return cut();
          if (isVote && fail((fault) => fault === 'half a PUBLISH')) {
            far.write(packet.subarray(0, packet.length >> 1), cut);
            return;
          }
          far.write(packet);
        }),
      );
      far.on(
        'data',
        packets((packet) => {
          const isAcknowledgement = typeOf(packet) === PUBACK || typeOf(packet) === PUBREC;
          if (isAcknowledgement && fail((fault) => fault === 'no PUBACK')) return cut();
          if (typeOf(packet) === PUBLISH && packet.includes('receipt/') && fail((fault) => fault === 'no receipt'))
            return cut();
          near.write(packet);
        }),
      );
    });
  }

  static async to(target: number | ((connection: number) => number), faults: readonly Fault[]): Promise<FaultyLine> {
    const line = new FaultyLine(typeof target === 'number' ? () => target : target, faults);
    line.server.listen(0, '127.0.0.1');
    await once(line.server, 'listening');
    return line;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

const typeOf = (packet: Buffer): number => (packet[0] ?? 0) >> 4;

/** Calls `take` with each whole packet of a stream of bytes. */
function packets(take: (packet: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let length = lengthOf(rest); length <= rest.length; length = lengthOf(rest)) {
      const packet = rest.subarray(0, length);
      rest = rest.subarray(length);
      take(packet);
    }
  };
}

/** The length of the packet at the beginning of the bytes [MQTT 3.1.1, 2.2.3]; infinite while it is not known yet. */
function lengthOf(bytes: Buffer): number {
  let remaining = 0;
  for (let at = 1; at < Math.min(bytes.length, 5); at++) {
    const byte = bytes[at] as number;
    remaining += (byte & 0x7f) * 128 ** (at - 1);
    if (byte < 0x80) return 1 + at + remaining;
  }
  return Number.POSITIVE_INFINITY;
}
