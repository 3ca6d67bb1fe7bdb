import { isIP } from 'node:net';

/** What a proxy says about a connection that it forwards. */
export interface ProxyHeader {
  /** The number of bytes of the header. */
  readonly length: number;
  /** The IP address of the client; undefined if the proxy connects on its own behalf, or does not know it. */
  readonly address: string | undefined;
}

/** The first bytes of version 2. */
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** Length in bytes of the fixed part of version 2. */
const FIXED_LENGTH = 16;
/** Maximum length in bytes of version 1. */
const MAX_TEXT = 107;
/** Maximum length in bytes of what follows the fixed part of version 2: the addresses and further information. */
const MAX_REST = 2_048;
const V1_START = Buffer.from('PROXY ');
const LOCAL = 0x20;
const PROXY = 0x21;
/** Address families: where the client’s address is, and how long it is. */
const IPV4 = { family: 1, length: 4, rest: 12 } as const;
const IPV6 = { family: 2, length: 16, rest: 36 } as const;

/**
 * Reads the header of the PROXY protocol, version 1 or 2, at the beginning of a connection.
 *
 * @returns `incomplete` if more bytes are needed, `malformed` if this is no such header
 * @see https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  if (isStartOf(bytes, SIGNATURE)) return bytes.length < FIXED_LENGTH ? 'incomplete' : parseBinary(bytes);
  if (isStartOf(bytes, V1_START)) return parseText(bytes);
  return 'malformed';
}

/** True if `bytes` begin with `start`, or with as much of it as has arrived. */
function isStartOf(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function parseText(bytes: Buffer): ReturnType<typeof parseProxyHeader> {
  const end = bytes.subarray(0, MAX_TEXT).indexOf('\r\n');
  if (end < 0) return bytes.length < MAX_TEXT ? 'incomplete' : 'malformed';
  const length = end + 2;
  const [, protocol, source = '', target = '', ...ports] = bytes.toString('latin1', 0, end).split(' ');
  if (protocol === 'UNKNOWN') return { length, address: undefined };
  const version = protocol === 'TCP4' ? 4 : protocol === 'TCP6' ? 6 : undefined;
  const isRight = version !== undefined && isIP(source) === version && isIP(target) === version;
  return isRight && ports.length === 2 && ports.every(isPort) ? { length, address: source } : 'malformed';
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseBinary(bytes: Buffer): ReturnType<typeof parseProxyHeader> {
  const command = bytes[12] as number;
  const family = (bytes[13] as number) >> 4;
  const rest = bytes.readUInt16BE(14);
  const length = FIXED_LENGTH + rest;
  if ((command !== LOCAL && command !== PROXY) || rest > MAX_REST) return 'malformed';
  if (bytes.length < length) return 'incomplete';
  const kind = [IPV4, IPV6].find((one) => one.family === family);
  if (command === LOCAL || !kind) return { length, address: undefined };
  if (rest < kind.rest) return 'malformed';
  return { length, address: addressOf(bytes.subarray(FIXED_LENGTH, FIXED_LENGTH + kind.length)) };
}

function addressOf(bytes: Buffer): string {
  if (bytes.length === IPV4.length) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  // A URL has the usual short form of an address.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
