/**
 * Encodes a server-sent event (WHATWG HTML, 9.2.5). The output of `JSON.stringify` contains no line breaks, so the data
 * fits in one `data` line.
 */
export function eventFrame(event: string, id: string, data: unknown): Buffer {
  return Buffer.from(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** An empty comment, which is not an event but shows proxies and clients that the connection is alive. */
export const HEARTBEAT = Buffer.from(':\n\n');

/** A frame sent once at the start of a stream. It says how long (ms) to wait before reconnecting. */
export function retryFrame(ms: number): Buffer {
  return Buffer.from(`retry: ${ms}\n\n`);
}
