import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { buffer } from 'node:stream/consumers';

/** Like `fetch`, which cannot be given an authority. @param ca its certificate in PEM */
export async function fetchSecurely(
  url: string,
  ca: string,
  { method, headers, body }: { method: string; headers: Record<string, string>; body: string | null },
): Promise<Response> {
  const sent = request(url, { method, headers, ca, agent: false });
  sent.end(body ?? undefined);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const content = await buffer(answer);
  const { statusCode: status = 0, rawHeaders } = answer;
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, i) => rawHeaders.slice(2 * i, 2 * i + 2));
  const isEmpty = status === 204 || status === 304;
  return new Response(isEmpty ? null : new Uint8Array(content), { status, headers: pairs as [string, string][] });
}
