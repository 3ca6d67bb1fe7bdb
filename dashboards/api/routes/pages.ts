import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { prefixOf } from '../../../core/process/prefix.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import { isIdentifier } from '../../../core/voting/rules/text/identifier.ts';
import type { Context } from '../context.ts';
import { PollParams, RoomParams } from '../schemas/params.ts';

/** The folder into which the build writes the pages. */
const WEB = fileURLToPath(new URL('../../../../build/web/', import.meta.url));
/** Matches file names that contain a hash of the content. A file with such a name never changes. */
const HASHED = /-[A-Z0-9]{8}\.(js|css)$/;

/** The pages and their assets. */
export function pageRoutes({ publicUrl }: Pick<Context, 'publicUrl'>): FastifyPluginAsyncTypebox {
  const prefix = prefixOf(publicUrl);
  /** Sends a page. Behind a proxy with a prefix, its files are below that prefix, too. */
  const sendPage = async (reply: FastifyReply, name: string) => {
    if (prefix === '') return reply.sendFile(name);
    const html = await readFile(join(WEB, name), 'utf8');
    return reply.type('text/html; charset=utf-8').send(html.replaceAll('"/web/', `"${prefix}/web/`));
  };
  return async (app) => {
    await app.register(fastifyStatic, {
      root: WEB,
      prefix: '/web/',
      index: false,
      preCompressed: true,
      cacheControl: false,
      setHeaders(response, path) {
        const isHashed = HASHED.test(path.replace(/\.(br|gz)$/, ''));
        response.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
    const hidden = { schema: { hide: true } };
    app.get('/', hidden, async (_request, reply) => sendPage(reply, 'operator.html'));
    // Where an identity provider sends operators back to: the page hands its query to the API.
    app.get('/signed-in', hidden, async (_request, reply) => sendPage(reply, 'operator.html'));
    app.get('/screen/:poll', { schema: { hide: true, params: PollParams } }, async ({ params }, reply) => {
      if (!isIdentifier(params.poll)) throw new Refusal('no-such-poll', 'this is not a valid poll id');
      return sendPage(reply, 'screen.html');
    });
    const inRoom = { schema: { hide: true, params: RoomParams } };
    app.get('/screen/room/:room', inRoom, async ({ params }, reply) => {
      demandPageOfRoom(params.room);
      return sendPage(reply, 'screen.html');
    });
    app.get('/vote/:room', inRoom, async ({ params }, reply) => {
      demandPageOfRoom(params.room);
      return sendPage(reply, 'vote.html');
    });
    app.get('/vote/:room/manifest.webmanifest', inRoom, async ({ params }, reply) => {
      demandPageOfRoom(params.room);
      return reply.type('application/manifest+json').send(manifestOf(params.room, prefix));
    });
    // A service worker controls only pages below its own path, so it cannot be served from `/web/`.
    app.get('/vote/worker.js', hidden, async (_request, reply) => reply.sendFile('worker.js'));
    app.get('/favicon.ico', hidden, async (_request, reply) => reply.sendFile('icon.svg'));
  };
}

function demandPageOfRoom(room: string): void {
  if (!isIdentifier(room)) throw new Refusal('no-such-room', 'this is not a valid room name');
}

/** The manifest for installing the voting page of a room as an app [W3C Web Application Manifest]. */
function manifestOf(room: string, prefix: string) {
  const icon = (src: string, sizes: string, type: string) => ({
    src: `${prefix}/web/${src}`,
    sizes,
    type,
    purpose: 'any',
  });
  return {
    id: `${prefix}/vote/${room}`,
    name: `Vote · ${room}`,
    short_name: 'Vote',
    start_url: `${prefix}/vote/${room}`,
    scope: `${prefix}/vote/`,
    display: 'standalone',
    background_color: '#f6f7fb',
    theme_color: '#1d4ed8',
    icons: [
      icon('icon.svg', 'any', 'image/svg+xml'),
      icon('icon-192.png', '192x192', 'image/png'),
      icon('icon-512.png', '512x512', 'image/png'),
      { ...icon('icon-512.png', '512x512', 'image/png'), purpose: 'maskable' },
    ],
  };
}
