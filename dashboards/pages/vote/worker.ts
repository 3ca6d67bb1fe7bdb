/**
 * Caches the files of the voting page, so that it opens without a network. The network is always tried first: a cached file is
 * used only if the server does not respond in time. Votes do not pass through here.
 */
// Makes this file a module, so that it can declare its own `self`.
export {};

declare const self: WorkerScope;

/** The parts of a service worker’s global scope that are used here; the pages are compiled with the types of a window. */
interface WorkerScope {
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
}
interface WorkerEvent {
  readonly request: Request;
  readonly data: unknown;
  waitUntil(work: Promise<unknown>): void;
  respondWith(answer: Promise<Response>): void;
}

const NAME = 'pollcast-vote';
/** The path of the server; this script is `<base>/vote/worker.js`. */
const BASE = location.pathname.replace(/\/vote\/worker\.js$/, '');
/** The time in ms that the network may take before the cached file is used. */
const LIMIT_MS = 3_000;
/** The maximum number of cached files. */
const MAX_CACHED = 60;

self.addEventListener('install', (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
// The page was loaded before the worker was installed, so it sends the list of its files.
self.addEventListener('message', (event) => event.waitUntil(cacheAll(event.data)));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && isShell(new URL(request.url))) event.respondWith(answer(event, request));
});

async function cacheAll(addresses: unknown): Promise<void> {
  if (!Array.isArray(addresses)) return;
  const cache = await caches.open(NAME);
  const own = addresses.slice(0, MAX_CACHED).filter((address) => isShell(new URL(address, location.origin)));
  await Promise.all(own.map((address) => cache.add(address).catch(() => undefined)));
}

/** Whether an address belongs to the voting page: its documents and files, never the API. */
function isShell({ origin, pathname }: URL): boolean {
  const isBelow = (folder: string) => pathname.startsWith(`${BASE}/${folder}/`);
  return origin === location.origin && (isBelow('web') || isBelow('vote'));
}

async function answer(event: WorkerEvent, request: Request): Promise<Response> {
  const cached = await caches.match(request, { ignoreSearch: true }).catch(() => undefined);
  const fresh = fetch(request).then((response) => {
    // If the browser cannot store the file, the page still gets the response.
    if (response.ok) event.waitUntil(store(request, response.clone()).catch(() => undefined));
    return response;
  });
  if (!cached) return fresh;
  event.waitUntil(fresh.catch(() => undefined));
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(cached), LIMIT_MS));
  return Promise.race([fresh.catch(() => cached), late]);
}

async function store(request: Request, response: Response): Promise<void> {
  const cache = await caches.open(NAME);
  await cache.put(request, response);
  const keys = await cache.keys();
  for (const old of keys.slice(0, Math.max(0, keys.length - MAX_CACHED))) await cache.delete(old);
}
