import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet';
import { readConnect } from '../../../../broker/connection/mqtt5/connect.ts';
import { Translator } from '../../../../broker/connection/mqtt5/translator.ts';

export const OFFER = { receiveMaximum: 512, packetBytes: 4096, topicAliases: 16 } as const;

/** A packet of MQTT 5. */
export function packet5(packet: object): Buffer {
  return generate(packet as Packet, { protocolVersion: 5 });
}

/** What is in packets of a version. */
export function parsed(bytes: Buffer, protocolVersion: 4 | 5): Packet[] {
  const reader = parser({ protocolVersion });
  const packets: Packet[] = [];
  reader.on('packet', (packet: Packet) => packets.push(packet));
  reader.on('error', (error: Error) => {
    throw error;
  });
  reader.parse(bytes);
  return packets;
}

export function connectBytes(more: object = {}): Buffer {
  return packet5({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clientId: 'd',
    clean: true,
    keepalive: 60,
    ...more,
  } as IConnectPacket);
}

export function connectOf(bytes: Buffer) {
  return readConnect(bytes, 0, bytes.length);
}

/** A translator for a client, and what it has sent. */
export function translator(more: object = {}, options: { maxExpirySeconds?: number; givesReasons?: boolean } = {}) {
  const sent: Buffer[] = [];
  const toAedes: Buffer[] = [];
  const made = new Translator({
    connect: connectOf(connectBytes(more)),
    offer: OFFER,
    maxExpirySeconds: options.maxExpirySeconds ?? 86_400,
    givesReasons: options.givesReasons ?? true,
    send: (packet) => sent.push(packet),
    toAedes: (packet) => toAedes.push(packet),
  });
  return {
    translator: made,
    sent,
    toAedes,
    /** Passes a packet of the client, and returns what Aedes gets. */
    from: (packet: object | Buffer): Buffer | undefined => {
      const bytes = Buffer.isBuffer(packet) ? packet : packet5(packet);
      return made.fromClient(bytes, 0, bytes.length);
    },
    /** Passes packets of Aedes, and returns what the client gets. */
    to: (...packets: object[]): Packet[] => {
      const bytes = Buffer.concat(packets.map((packet) => generate(packet as Packet)));
      return parsed(made.toClient(bytes) ?? Buffer.alloc(0), 5);
    },
  };
}
