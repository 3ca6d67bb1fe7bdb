import type { Will } from '../wire/connect.ts';
import {
  AUTH,
  DISCONNECT,
  frameEnd,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  packetType,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from '../wire/frame.ts';
import { bodyOf, PacketReader, ProtocolViolation } from '../wire/packet-reader.ts';
import { acknowledgement, connack, farewell, type Offer, refusal } from './answers.ts';
import { CODE, codeOfRefusal, Mqtt5Error } from './codes.ts';
import type { Connect5 } from './connect.ts';
import { Outbox } from './outbox.ts';
import { PROPERTY, readProperties } from './properties.ts';
import { PublishReader5 } from './publish.ts';
import { Subscriptions } from './subscriptions.ts';

/** The flags that a packet of a type must have in its first byte [MQTT5-2.1.3-1]. */
const FLAGS: Readonly<Record<number, number>> = {
  [PUBACK]: 0,
  [PUBREC]: 0,
  [PUBREL]: 2,
  [PUBCOMP]: 0,
  [SUBSCRIBE]: 2,
  [UNSUBSCRIBE]: 2,
  [PINGREQ]: 0,
  [DISCONNECT]: 0,
  [AUTH]: 0,
};

export interface Mqtt5Options {
  /** How long in seconds a session is kept at most after its client disconnected. */
  readonly maxExpirySeconds: number;
  /** False if acknowledgements say success even for votes that were rejected, for clients that cannot cope with reason codes. */
  readonly givesReasons: boolean;
}

interface TranslatorParts extends Mqtt5Options {
  readonly connect: Connect5;
  readonly offer: Offer;
  /** In seconds; set if the client must use it instead of its own [MQTT5-3.2.2-21]. */
  readonly serverKeepAlive?: number | undefined;
  /** Writes packets to the client. */
  readonly send: (packet: Buffer) => void;
  /** Passes a packet to Aedes as if the client had sent it. */
  readonly toAedes: (packet: Buffer) => void;
}

/** Stands between one client of MQTT 5 and Aedes, which speaks MQTT 3.1.1. Keeps what the client asked for and Aedes cannot do. */
export class Translator {
  readonly connect: Connect5;
  readonly publishes = new PublishReader5();
  readonly clientId: string;
  /** How long in seconds the session is kept after the connection. DISCONNECT may change it. */
  expirySeconds: number;
  /** How the client left, if it sent DISCONNECT. */
  left: 'without will' | 'with will' | undefined;
  /** False if acknowledgements say success even for packets that were refused. */
  readonly givesReasons: boolean;
  private readonly parts: TranslatorParts;
  /** What the client has subscribed to, and what it is sent; most clients never subscribe. */
  private subscribed: Subscriptions | undefined;
  private sent: Outbox | undefined;

  constructor(parts: TranslatorParts) {
    const { connect } = parts;
    this.parts = parts;
    this.connect = connect;
    this.givesReasons = parts.givesReasons;
    // A user has one ballot whatever its connection, so its name is a good id. There is no other that would stay the same.
    this.clientId = connect.clientId || (connect.user ?? '');
    this.expirySeconds = Math.min(connect.sessionExpirySeconds, parts.maxExpirySeconds);
    this.welcome(false);
  }

  get subscriptions(): Subscriptions {
    this.subscribed ??= new Subscriptions();
    return this.subscribed;
  }

  /** True if nothing is kept of the session once the connection has ended, and nothing is continued. */
  get isClean(): boolean {
    return this.connect.isCleanStart && this.expirySeconds === 0;
  }

  /** True if the client acknowledges so little that too many messages wait behind one. */
  get isStalled(): boolean {
    return this.sent?.isStalled ?? false;
  }

  /** The will, if it must wait after the end of the connection; Aedes publishes others at once. */
  get delayedWill(): Will | undefined {
    const { will } = this.connect;
    return will && will.delaySeconds > 0 && this.expirySeconds > 0 ? will : undefined;
  }

  /** CONNACK for a client that is let in. */
  welcome(isSessionPresent: boolean): Buffer {
    const packet = this.accepted(isSessionPresent);
    if (!packet) throw new Mqtt5Error(CODE.tooLarge, 'CONNACK needs larger packets');
    return packet;
  }

  /** CONNACK for a client that is not let in. @param returnCode as in MQTT 3.1.1 @param code the reason code, if it says more */
  refusal(returnCode: number, why: string, code: number = codeOfRefusal(returnCode)): Buffer {
    return refusal(code, why, this.connect.maximumPacketSize);
  }

  /**
   * Reads a whole packet of the client, other than CONNECT, PUBLISH and PUBREL.
   *
   * @returns the packet for Aedes; undefined if Aedes does not get one
   * @throws ProtocolViolation
   */
  fromClient(bytes: Buffer, start: number, end: number): Buffer | undefined {
    const type = packetType(bytes[start] as number);
    const reader = this.reader(bytes, start, end);
    switch (type) {
      case PUBACK:
        this.outbox.acknowledged(readAcknowledgement(reader));
        return undefined;
      case PUBREC:
        // Nothing is sent with QoS 2.
        this.parts.send(
          acknowledgement((PUBREL << 4) | 2, readAcknowledgement(reader), CODE.unknownPacketId, undefined, 0),
        );
        return undefined;
      case PUBCOMP:
        readAcknowledgement(reader);
        return undefined;
      case SUBSCRIBE:
        return this.subscriptions.subscribe(reader);
      case UNSUBSCRIBE:
        return this.subscriptions.unsubscribe(reader);
      case PINGREQ:
        reader.finish();
        return Buffer.from(bytes.subarray(start, end));
      case DISCONNECT:
        return this.disconnect(reader);
      default:
        throw new Mqtt5Error(CODE.protocol, 'no authentication is under way');
    }
  }

  /** The packet id of a PUBREL. @throws ProtocolViolation */
  release(bytes: Buffer, start: number, end: number): number {
    return readAcknowledgement(this.reader(bytes, start, end));
  }

  /** Whole packets of MQTT 3.1.1, by Aedes or the broker, as they are sent to the client. @throws Error if one is not whole */
  toClient(bytes: Buffer): Buffer | undefined {
    if (frameEnd(bytes, 0) === bytes.length) return this.translate(bytes);
    const packets: Buffer[] = [];
    for (let at = 0, end = 0; at < bytes.length; at = end) {
      end = frameEnd(bytes, at);
      const translated = this.translate(bytes.subarray(at, end));
      if (translated) packets.push(translated);
    }
    return packets.length === 0 ? undefined : Buffer.concat(packets);
  }

  /** PUBACK or PUBREC. @param code why the packet was refused; `success` if it was not */
  acknowledgement(type: number, packetId: number, code: number, why: string | undefined): Buffer {
    const { connect, givesReasons } = this;
    return acknowledgement(
      type << 4,
      packetId,
      givesReasons ? code : CODE.success,
      connect.wantsReasons ? why : undefined,
      connect.maximumPacketSize,
    );
  }

  /** DISCONNECT by the broker. */
  farewell(code: number, why: string | undefined): Buffer {
    return farewell(code, why, this.connect.maximumPacketSize);
  }

  private translate(packet: Buffer): Buffer | undefined {
    switch (packetType(packet[0] as number)) {
      case PUBLISH:
        return this.outbox.publish(packet);
      case SUBACK: {
        const body = bodyOf(packet, 0);
        const codes = packet.subarray(body + 2);
        return this.ifTaken(this.subscriptions.suback(packet.readUInt16BE(body), codes, this.clientId));
      }
      case UNSUBACK:
        return this.ifTaken(this.subscriptions.unsuback(packet.readUInt16BE(bodyOf(packet, 0))));
      default:
        return packet;
    }
  }

  /** A packet, unless it is larger than the client takes [MQTT5-3.1.2-24]. */
  private ifTaken(packet: Buffer): Buffer | undefined {
    return packet.length <= this.connect.maximumPacketSize ? packet : undefined;
  }

  private accepted(isSessionPresent: boolean): Buffer | undefined {
    const { connect, offer, serverKeepAlive } = this.parts;
    const isShortened = this.expirySeconds !== connect.sessionExpirySeconds;
    const granted = {
      isSessionPresent,
      sessionExpirySeconds: isShortened ? this.expirySeconds : undefined,
      assignedClientId: connect.clientId === '' ? this.clientId : undefined,
      serverKeepAlive,
    };
    const sizes = [connack(offer, granted), connack(undefined, granted)];
    return sizes.find(({ length }) => length <= connect.maximumPacketSize);
  }

  private disconnect(reader: PacketReader): Buffer {
    const code = reader.isAtEnd ? CODE.success : reader.byte();
    const expiry = reader.isAtEnd ? undefined : readProperties(reader, 'DISCONNECT').get(PROPERTY.sessionExpiry);
    reader.finish();
    if (expiry !== undefined) {
      if (this.connect.sessionExpirySeconds === 0 && expiry > 0) {
        throw new Mqtt5Error(CODE.protocol, 'a session that was to end with the connection cannot be kept');
      }
      this.expirySeconds = Math.min(expiry, this.parts.maxExpirySeconds);
    }
    // Only a normal end discards the will [MQTT5-3.14.4-3].
    this.left = code === CODE.success ? 'without will' : 'with will';
    return Buffer.from([DISCONNECT << 4, 0]);
  }

  private get outbox(): Outbox {
    const { connect, subscriptions, parts } = this;
    this.sent ??= new Outbox(connect, subscriptions, parts.send, parts.toAedes);
    return this.sent;
  }

  /** A reader for the fields of a packet whose fixed header is right. */
  private reader(bytes: Buffer, start: number, end: number): PacketReader {
    const first = bytes[start] as number;
    const type = packetType(first);
    const flags = FLAGS[type];
    const body = bodyOf(bytes, start);
    if (flags === undefined) {
      const code = type === 0 ? CODE.malformed : CODE.protocol;
      throw new Mqtt5Error(code, `a client may not send packets of type ${type}`);
    }
    if ((first & 0x0f) !== flags) throw new ProtocolViolation(`packets of type ${type} must have the flags ${flags}`);
    return new PacketReader(bytes, body, end);
  }
}

/** Reads PUBACK, PUBREC, PUBREL or PUBCOMP; returns the packet id. */
function readAcknowledgement(reader: PacketReader): number {
  const packetId = reader.packetId();
  if (!reader.isAtEnd) reader.byte();
  if (!reader.isAtEnd) readProperties(reader, 'acknowledgement');
  reader.finish();
  return packetId;
}
