/**
 * Keeps the voting page's files, so that it opens without a network. What the network has goes first: a page that was kept
 * is never older than it must be. Votes do not go through here.
 */
const worker = globalThis as unknown as WorkerScope;

/** What is used of a service worker's surroundings; the pages' types do not have it. */
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
/** A network that takes longer than this is as good as none, ms. */
const LIMIT_MS = 3_000;
/** Files that are kept, at most. */
const MAX_KEPT = 60;

worker.addEventListener('install', (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
// The page was loaded before there was a worker: it tells what it is made of.
worker.addEventListener('message', (event) => event.waitUntil(keepAll(event.data)));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && isShell(new URL(request.url))) event.respondWith(answer(event, request));
});

async function keepAll(addresses: unknown): Promise<void> {
  if (!Array.isArray(addresses)) return;
  const cache = await caches.open(NAME);
  const own = addresses.slice(0, MAX_KEPT).filter((address) => isShell(new URL(address, location.origin)));
  await Promise.all(own.map((address) => cache.add(address).catch(() => undefined)));
}

/** What the voting page is made of: its pages and files, never the API. */
function isShell({ origin, pathname }: URL): boolean {
  return origin === location.origin && (pathname.startsWith('/web/') || pathname.startsWith('/vote/'));
}

async function answer(event: WorkerEvent, request: Request): Promise<Response> {
  const kept = await caches.match(request, { ignoreSearch: true }).catch(() => undefined);
  const fresh = fetch(request).then((response) => {
    // A browser that has no room left still shows what came.
    if (response.ok) event.waitUntil(store(request, response.clone()).catch(() => undefined));
    return response;
  });
  if (!kept) return fresh;
  event.waitUntil(fresh.catch(() => undefined));
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), LIMIT_MS));
  return Promise.race([fresh.catch(() => kept), late]);
}

async function store(request: Request, response: Response): Promise<void> {
  const cache = await caches.open(NAME);
  await cache.put(request, response);
  const keys = await cache.keys();
  for (const old of keys.slice(0, Math.max(0, keys.length - MAX_KEPT))) await cache.delete(old);
}
