import { isIP } from 'node:net';
import { IDENTIFIER_RULE, isIdentifier } from '../voting/rules/text/identifier.ts';

// How the texts of settings are read. Each parser throws an Error whose message describes the expected value.

/** A whole number in a range. @throws Error whose message describes what is expected */
export function whole(value: string, min: number, max: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) throw new Error(`a whole number from ${min} to ${max}`);
  return number;
}

export const port = (text: string): number => whole(text, 0, 65535);
export const optionalPort = (text: string): number | undefined => (text === '' ? undefined : port(text));
export const text = (value: string): string => value;

export function portOrOff(text: string): number | 'off' {
  if (text === 'off') return text;
  if (!/^\d+$/.test(text)) throw new Error('a whole number from 0 to 65535, or off');
  return port(text);
}

export function oneOf<T extends string>(...names: readonly T[]): (value: string) => T {
  return (value) => {
    const found = names.find((name) => name === value);
    if (found === undefined) throw new Error(`one of ${names.filter((name) => name !== '').join(', ')}`);
    return found;
  };
}

export function identifier(value: string): string {
  if (!isIdentifier(value)) throw new Error(IDENTIFIER_RULE);
  return value;
}

export function influxUrl(value: string): string {
  if (value === '') return value;
  const isRight = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
  if (!isRight || !isIdentifier(new URL(value).pathname.slice(1))) {
    throw new Error('http://[user:password@]host[:port]/database');
  }
  return value;
}

/** A web address without trailing slashes. */
export function webAddress(value: string): string {
  if (value === '') return value;
  const { protocol, pathname, href } = URL.canParse(value) ? new URL(value) : new URL('about:blank');
  // Without user, query or fragment, an address ends with its path. The path becomes part of pages, so it must need no escaping.
  const isPlain = /^https?:$/.test(protocol) && href.endsWith(pathname) && !href.includes('@');
  if (!isPlain || !/^[A-Za-z0-9._~/-]*$/.test(pathname)) {
    throw new Error('a web address such as https://votes.example.org or https://www.example.org/votes');
  }
  return href.replace(/\/+$/, '');
}

export function origins(value: string): string[] {
  const all = value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const isOrigin = (one: string) => URL.canParse(one) && new URL(one).origin === one && one !== 'null';
  if (!all.every(isOrigin)) throw new Error('comma-separated origins without a path, such as https://www.example.org');
  return all;
}

export function networks(value: string): string[] {
  const all = value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const isNetwork = (text: string) => {
    const [address = '', bits] = text.split('/');
    const most = isIP(address) === 6 ? 128 : 32;
    return isIP(address) > 0 && (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most));
  };
  if (!all.every(isNetwork)) throw new Error('comma-separated addresses or networks, such as 10.0.0.7 or 10.0.0.0/8');
  return all;
}

export function token(value: string): string {
  if (value !== '' && value.length < 16) throw new Error('at least 16 characters, so that it cannot be guessed');
  return value;
}
