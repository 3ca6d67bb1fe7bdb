import type { Outgoing } from '../outgoing.ts';
import { type Connect, connack311, readConnect311 } from '../wire/connect.ts';
import { checkPacket, packetIdOf } from '../wire/control-packets.ts';
import { SUBSCRIBE } from '../wire/frame.ts';
import { type Publish, PublishReader } from '../wire/publish.ts';
import { type Connect5, isConnect5, readConnect } from './connect.ts';
import { TOPIC_ALIASES } from './publish.ts';
import { type Mqtt5Options, Translator } from './translator.ts';

const DEFAULTS: Mqtt5Options = { maxExpirySeconds: 0, givesReasons: true };

/** The connection of a client. */
interface DialectLine {
  readonly mqtt5Options: Mqtt5Options | undefined;
  readonly limits: {
    /** Maximum number of PUBLISH packets that were not acknowledged. */
    readonly inFlight: number;
    /** Maximum size of a packet in bytes. */
    readonly packetBytes: number;
    readonly keepAliveSeconds?: number;
  };
  readonly outgoing: Outgoing;
  /** Passes a packet to Aedes. */
  toAedes(packet: Buffer): void;
}

/** Reads the packets of one client in the version of MQTT that it speaks. Every method throws a `ProtocolViolation`. */
export class Dialect {
  /** Set once a client of MQTT 5 has sent CONNECT. */
  mqtt5: Translator | undefined;
  private readonly line: DialectLine;
  private publishes: Pick<PublishReader, 'read'> | undefined;

  constructor(line: DialectLine) {
    this.line = line;
  }

  connect(bytes: Buffer, start: number, end: number): Connect {
    if (!isConnect5(bytes, start)) {
      const connect = readConnect311(bytes, start, end);
      return { ...connect, keepAlive: this.keepAlive(connect) };
    }
    const connect = readConnect(bytes, start, end);
    const keepAlive = this.keepAlive(connect);
    const translator = this.open(connect, keepAlive === connect.keepAlive ? undefined : keepAlive);
    const { clientId, isClean } = translator;
    const { user, password, isCleanStart: isFresh, will } = connect;
    return { level: 5, clientId, user, password, keepAlive, isFresh, isClean, will };
  }

  publish(bytes: Buffer, start: number, end: number): Publish {
    this.publishes ??= new PublishReader();
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
    const packet = this.understood(bytes, start, end);
    if (packet && type === SUBSCRIBE) this.line.outgoing.repeatedFilters.subscribing(packet, 0, packet.length);
    return packet;
  }

  /** CONNACK for a client that is let in. */
  welcome(isSessionPresent: boolean): Buffer {
    return this.mqtt5?.welcome(isSessionPresent) ?? connack311(isSessionPresent, 0);
  }

  /** CONNACK for a client that is not let in. @param returnCode as in MQTT 3.1.1 @param code for MQTT 5, if it says more */
  refusal(returnCode: number, why: string, code?: number): Buffer {
    return this.mqtt5?.refusal(returnCode, why, code) ?? connack311(false, returnCode);
  }

  private understood(bytes: Buffer, start: number, end: number): Buffer | undefined {
    if (this.mqtt5) return this.mqtt5.fromClient(bytes, start, end);
    checkPacket(bytes, start, end);
    return bytes.subarray(start, end);
  }

  /**
   * The keep alive of a client, within the limit. Before MQTT 5, a server cannot tell a client that, but it may disconnect one that
   * has been silent for too long, whatever its keep alive [MQTT-3.1.2.10].
   */
  private keepAlive({ keepAlive }: Pick<Connect, 'keepAlive'>): number {
    const { keepAliveSeconds: most = 0 } = this.line.limits;
    return most === 0 || (keepAlive > 0 && keepAlive <= most) ? keepAlive : most;
  }

  private open(connect: Connect5, serverKeepAlive: number | undefined): Translator {
    const { line } = this;
    const { inFlight: receiveMaximum, packetBytes } = line.limits;
    const translator = new Translator({
      ...(line.mqtt5Options ?? DEFAULTS),
      // What only admission needs is not kept.
      connect: { ...connect, password: undefined },
      serverKeepAlive,
      offer: { receiveMaximum, packetBytes, topicAliases: TOPIC_ALIASES },
      send: (packet) => line.outgoing.acknowledge(packet),
      toAedes: (packet) => line.toAedes(packet),
    });
    this.publishes = translator.publishes;
    line.outgoing.translator = translator;
    this.mqtt5 = translator;
    return translator;
  }
}
