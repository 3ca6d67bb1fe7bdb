/**
 * One server-sent event as bytes (WHATWG HTML, 9.2.5). `data` is JSON on one line: JSON text holds no raw line
 * breaks, so it needs no splitting.
 */
export function eventFrame(event: string, id: string, data: unknown): Buffer {
  return Buffer.from(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** A comment: keeps proxies and phones from thinking the line is dead. Readers ignore it. */
export const HEARTBEAT = Buffer.from(':\n\n');

/** Sent once at the start: how long to wait before reconnecting, ms. */
export function retryFrame(ms: number): Buffer {
  return Buffer.from(`retry: ${ms}\n\n`);
}
