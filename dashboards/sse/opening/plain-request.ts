import { withoutPrefix } from '../../../core/process/prefix.ts';
import { isIdentifier } from '../../../core/voting/rules/text/identifier.ts';
import { acceptsGzip } from '../../gzip.ts';
import { type Form, formOf } from '../frame.ts';

/** Longer heads (bytes) are left to the HTTP server. */
const MAX_HEAD = 4_096;
const REQUEST = /^GET (\/[!-~]*) HTTP\/1\.([01])$/;
const HEADER = /^([A-Za-z-]+):[ \t]*([\t -~]*)$/;
const STREAM = /^\/api\/(polls|rooms)\/([^/?]+)\/stream(\?changes=compact)?$/;

/** The routes of the streams that may be asked for plainly, as in Fastify. */
export const STREAM_ROUTES = { polls: '/api/polls/:poll/stream', rooms: '/api/rooms/:room/stream' } as const;

/** Headers that do not change the answer, other than `accept-encoding`, `host` and the addresses that proxies have added. */
const PLAIN: ReadonlySet<string> = new Set([
  ...['host', 'connection', 'user-agent', 'referer', 'dnt', 'priority', 'last-event-id', 'cache-control', 'pragma'],
  ...['accept', 'accept-encoding', 'accept-language', 'sec-gpc', 'sec-fetch-dest', 'sec-fetch-mode', 'sec-fetch-site'],
  ...['sec-ch-ua', 'sec-ch-ua-mobile', 'sec-ch-ua-platform', 'via', 'x-real-ip', 'x-request-id', 'x-forwarded-for'],
  ...['x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto', 'x-forwarded-server'],
]);

/** A request for the stream of a poll or a room, in which nothing else is asked for and nobody shows who they are. */
export interface PlainRequest {
  readonly of: keyof typeof STREAM_ROUTES;
  /** The poll or the room. */
  readonly name: string;
  readonly form: Form;
  readonly host: string | undefined;
  readonly forwardedFor: string | undefined;
}

/** True if a request with this header may be plain. @param name in lower case */
export function isPlainHeader(name: string): boolean {
  return PLAIN.has(name);
}

/**
 * Reads the first bytes of a connection, much more strictly than RFC 9112 demands.
 *
 * @param prefix the path under which a proxy serves Pollcast
 * @returns undefined if they are not exactly one plain request; then the HTTP server must decide what they are
 */
export function plainRequest(first: Buffer, prefix: string): PlainRequest | undefined {
  if (first.length > MAX_HEAD) return undefined;
  const [request = '', ...lines] = first.toString('latin1').split('\r\n');
  const [, target, minor] = REQUEST.exec(request) ?? [];
  // The head ends with an empty line, and nothing follows it.
  if (target === undefined || lines.pop() !== '' || lines.pop() !== '') return undefined;
  const [, of, name = '', changes] = STREAM.exec(withoutPrefix(target, prefix)) ?? [];
  if (of === undefined || !isIdentifier(name)) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, header = '', value = ''] = HEADER.exec(line) ?? [];
    const key = header.toLowerCase();
    if (!PLAIN.has(key) || headers.has(key)) return undefined;
    headers.set(key, value.trim());
  }
  const host = headers.get('host');
  const isChunked = minor === '1';
  if (host === undefined && isChunked) return undefined;
  if (!/^(keep-alive|close)?$/i.test(headers.get('connection') ?? '')) return undefined;
  const isGzip = acceptsGzip(headers.get('accept-encoding'));
  const form = formOf({ isCompact: changes !== undefined, isGzip, isChunked });
  return { of: of as PlainRequest['of'], name, form, host, forwardedFor: headers.get('x-forwarded-for') };
}
