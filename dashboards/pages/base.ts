/**
 * The path under which this page’s server is reached, without a trailing slash: empty, or `/votes` behind a proxy that serves
 * other things as well. Scripts are in `<base>/web/`, so their own address tells.
 */
export const BASE = new URL('..', import.meta.url).pathname.replace(/\/+$/, '');
