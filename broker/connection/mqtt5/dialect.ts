import type { Outgoing } from '../outgoing.ts';
import { checkPacket, packetIdOf } from '../wire/control-packets.ts';
import { CONNECT, SUBSCRIBE } from '../wire/frame.ts';
import { type Publish, PublishReader } from '../wire/publish.ts';
import { isConnect5, readConnect } from './connect.ts';
import { TOPIC_ALIASES } from './publish.ts';
import { type Mqtt5Options, Translator } from './translator.ts';

const DEFAULTS: Mqtt5Options = { maxExpirySeconds: 0, givesReasons: true };

interface DialectParts {
  readonly mqtt5?: Mqtt5Options | undefined;
  /** Maximum number of PUBLISH packets that were not acknowledged. */
  readonly inFlight: number;
  /** Maximum size of a packet in bytes. */
  readonly packetBytes: number;
  readonly outgoing: Outgoing;
  /** Passes a packet to Aedes. */
  readonly toAedes: (packet: Buffer) => void;
}

/** Reads the packets of one client in the version of MQTT that it speaks. Every method throws a `ProtocolViolation`. */
export class Dialect {
  /** Set once a client of MQTT 5 has sent CONNECT. */
  mqtt5: Translator | undefined;
  private readonly parts: DialectParts;
  private publishes: Pick<PublishReader, 'read'> = new PublishReader();

  constructor(parts: DialectParts) {
    this.parts = parts;
  }

  publish(bytes: Buffer, start: number, end: number): Publish {
    return this.publishes.read(bytes, start, end);
  }

  /** The packet id of a PUBREL. */
  release(bytes: Buffer, start: number, end: number): number {
    if (this.mqtt5) return this.mqtt5.release(bytes, start, end);
    checkPacket(bytes, start, end);
    return packetIdOf(bytes, start, end);
  }

  /** Checks another packet, and returns it as Aedes gets it; undefined if Aedes does not get it. */
  forAedes(type: number, bytes: Buffer, start: number, end: number): Buffer | undefined {
    const packet = this.understood(type, bytes, start, end);
    if (packet && type === SUBSCRIBE) this.parts.outgoing.repeatedFilters.subscribing(packet, 0, packet.length);
    return packet;
  }

  private understood(type: number, bytes: Buffer, start: number, end: number): Buffer | undefined {
    if (this.mqtt5) return this.mqtt5.fromClient(bytes, start, end);
    if (type === CONNECT && isConnect5(bytes, start)) return this.open(bytes, start, end).connectForAedes();
    checkPacket(bytes, start, end);
    return bytes.subarray(start, end);
  }

  private open(bytes: Buffer, start: number, end: number): Translator {
    const { mqtt5: options = DEFAULTS, inFlight, packetBytes, outgoing, toAedes } = this.parts;
    const translator = new Translator({
      ...options,
      connect: readConnect(bytes, start, end),
      offer: { receiveMaximum: inFlight, packetBytes, topicAliases: TOPIC_ALIASES },
      send: (packet) => outgoing.acknowledge(packet),
      toAedes,
    });
    this.publishes = translator.publishes;
    outgoing.translator = translator;
    this.mqtt5 = translator;
    return translator;
  }
}
