/** Paths that the server knows. Monitoring is not among them: what a proxy must block has one path only. */
const KNOWN = /^\/(?:$|(?:api|web|screen|vote|docs)\/.|(?:docs|mqtt|signed-in|favicon\.ico)$)/;

/** The path of a public address: empty, or `/votes`, without a trailing slash. */
export function prefixOf(publicUrl: string): string {
  return publicUrl === '' ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');
}

/**
 * The path and query of a request without the prefix under which a proxy serves Pollcast. Both kinds of proxies work: those that
 * pass the prefix on, and those that remove it. A path that is only known without the prefix is one of ours, as in `/vote/vote/hall`
 * with the prefix `/vote`, while `/vote/hall` is the page of a room.
 */
export function withoutPrefix(url: string, prefix: string): string {
  if (prefix === '' || !url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  const path = rest.split('?')[0] || '/';
  if (!/^[/?]|^$/.test(rest) || !KNOWN.test(path)) return url;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
