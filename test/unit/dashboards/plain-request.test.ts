import t from 'tap';
import { plainRequest } from '../../../dashboards/sse/opening/plain-request.ts';

const head = (request: string, ...headers: string[]) =>
  Buffer.from([request, ...headers, '', ''].join('\r\n'), 'latin1');
const TARGET = '/api/polls/q/stream';
const GET = `GET ${TARGET} HTTP/1.1`;
const HOST = 'Host: localhost:8080';

t.test('requests of browsers and programs are plain', async (t) => {
  const plain = { isCompact: false, isGzip: false, isChunked: true };
  const request = { of: 'polls', name: 'q', form: plain, host: 'localhost:8080', forwardedFor: undefined };
  t.same(plainRequest(head(GET, HOST), ''), request);
  const browser = [
    HOST,
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: text/event-stream',
    'Accept-Language: de,en-US;q=0.7',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Referer: http://localhost:8080/screen/hall',
    'Connection: keep-alive',
    'Sec-Fetch-Dest: empty',
    'Sec-Fetch-Mode: cors',
    'Sec-Fetch-Site: same-origin',
    'Priority: u=4',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'Last-Event-ID: 1-7',
  ];
  t.same(plainRequest(head('GET /api/rooms/hall/stream?changes=compact HTTP/1.1', ...browser), ''), {
    ...request,
    ...{ of: 'rooms', name: 'hall', form: { isCompact: true, isGzip: true, isChunked: true } },
  });
  t.match(plainRequest(head(`GET ${TARGET} HTTP/1.0`), ''), { form: { isChunked: false }, host: undefined });
  t.match(plainRequest(head(GET, 'HOST:x', 'X-Forwarded-For:\t10.0.0.7 '), ''), {
    host: 'x',
    forwardedFor: '10.0.0.7',
  });
  t.ok(plainRequest(head(`GET /votes${TARGET} HTTP/1.1`, HOST), '/votes'));
  t.ok(plainRequest(head(GET, HOST), '/votes'));
});

t.test('everything else is left to the HTTP server', async (t) => {
  const others: [what: string, first: Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['the beginning of a head', head(GET, HOST).subarray(0, -1)],
    ['another request behind it', Buffer.concat([head(GET, HOST), head(GET, HOST)])],
    ['a body behind it', Buffer.concat([head(GET, HOST), Buffer.from('x')])],
    ['a lone line feed', Buffer.from(`${GET}\n${HOST}\n\n`)],
    ['a lone line feed in a header', head(GET, HOST, 'Accept: x\nAuthorization: Bearer y')],
    ['a lone carriage return in a header', head(GET, HOST, 'Accept: x\rAuthorization: Bearer y')],
    ['a folded header', head(GET, HOST, 'Accept: x', ' y')],
    ['a space before the colon', head(GET, 'Host : x')],
    ['no colon', head(GET, HOST, 'Accept')],
    ['bytes beyond ASCII', head(GET, HOST, 'Accept: ü')],
    ['no host', head(GET)],
    ['two hosts', head(GET, HOST, HOST)],
    ['a header twice', head(GET, HOST, 'Accept-Encoding: gzip', 'accept-encoding: identity')],
    ['a token', head(GET, HOST, 'Authorization: Bearer x')],
    ['credentials', head(GET, HOST, 'authorization: Basic eDp5')],
    ['the key of a screen', head(GET, HOST, 'X-Pollcast-Screen: x')],
    ['another site', head(GET, HOST, 'Origin: http://example.org')],
    ['a cookie', head(GET, HOST, 'Cookie: x=y')],
    ['a body', head(GET, HOST, 'Content-Length: 0')],
    ['chunks', head(GET, HOST, 'Transfer-Encoding: chunked')],
    ['an upgrade', head(GET, HOST, 'Connection: upgrade', 'Upgrade: websocket')],
    ['an expectation', head(GET, HOST, 'Expect: 100-continue')],
    ['an unknown header', head(GET, HOST, 'X-Something: x')],
    ['a long head', head(GET, HOST, `User-Agent: ${'x'.repeat(5_000)}`)],
    ['another method', head(`HEAD ${TARGET} HTTP/1.1`, HOST)],
    ['a small method', head(`get ${TARGET} HTTP/1.1`, HOST)],
    ['another version', head(`GET ${TARGET} HTTP/2.0`, HOST)],
    ['no version', head(`GET ${TARGET}`, HOST)],
    ['two spaces', head(`GET  ${TARGET} HTTP/1.1`, HOST)],
    ['a whole URL', head(`GET http://localhost${TARGET} HTTP/1.1`, HOST)],
    ['an encoded path', head('GET /api/polls/%71/stream HTTP/1.1', HOST)],
    ['a long id', head(`GET /api/polls/${'q'.repeat(65)}/stream HTTP/1.1`, HOST)],
    ['another path', head('GET /api/polls/q/result HTTP/1.1', HOST)],
    ['a path below', head('GET /api/polls/q/stream/ HTTP/1.1', HOST)],
    ['several polls', head('GET /api/stream?polls=q HTTP/1.1', HOST)],
    ['other changes', head(`GET ${TARGET}?changes=few HTTP/1.1`, HOST)],
    ['another question', head(`GET ${TARGET}?changes=compact&x=y HTTP/1.1`, HOST)],
  ];
  for (const [what, first] of others) t.equal(plainRequest(first, ''), undefined, what);
});
