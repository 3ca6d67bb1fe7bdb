/** Why a device was not let in, or may not use a topic: values of the label `why`, and words in a device’s trail. */
export const REFUSALS = [
  /** A protocol version that is not offered. */
  'version',
  /** A client id that is invalid, or not the user name. */
  'id',
  /** Unknown device, wrong secret, or none. */
  'secret',
  /** The TLS handshake failed or took too long, or the client’s certificate is missing, revoked or for another device. */
  'tls',
  /** A will on a topic other than the device’s own status. */
  'will',
  /** A subscription or a message on a topic that devices may not use. */
  'topic',
  /** Bytes that are not MQTT, or a packet that is too large. */
  'packet',
  /** No CONNECT in time. */
  'timeout',
  /** Too many connections. */
  'full',
  /** Too many connections from one address. */
  'address',
  /** No CONNECT yet when room was needed for newer connections. */
  'stranger',
  /** Too many new connections or CONNECT packets from one address, or CONNECT packets of one device. */
  'rate',
  /** Too many wrong secrets from one address, or for one device. */
  'guessing',
  /** The store cannot be reached. */
  'store',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Why an admitted device was disconnected. */
export const DEPARTURES = [
  /** The device sent DISCONNECT. */
  'goodbye',
  /** The network or the device closed the connection. */
  'lost',
  /** Nothing was heard for one and a half times the keep alive. */
  'keepalive',
  /** The device connected again. */
  'takeover',
  /** The device was removed. */
  'removed',
  /** Its certificate was revoked, or the authority is no longer trusted. */
  'certificate',
  /** It published to a topic that devices may not use. */
  'topic',
  /** Bytes that are not MQTT, or a packet that is too large. */
  'packet',
  /** It did not read what was sent to it. */
  'stalled',
  /** Its vote could not be stored; it sends the vote again. */
  'store',
  /** The broker was stopped. */
  'stopping',
] as const;
export type Departure = (typeof DEPARTURES)[number];
