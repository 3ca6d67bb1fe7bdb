import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import t, { type Test } from 'tap';
import { stage } from '../support/stage.ts';
import { picture, startBrowser } from './support/browser.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

/** Starts another site, whose content security policy forbids inline scripts and styles, and returns its URL. */
async function site(t: Test, html: () => string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader(
      'content-security-policy',
      "default-src 'none'; script-src http://127.0.0.1:*; connect-src http://127.0.0.1:*",
    );
    response.end(html());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('a result can be embedded on an allowed site and on no other', async (t) => {
  let http = '';
  const page = () =>
    `<!doctype html><html lang="de"><title>x</title><script type="module" src="${http}/web/pollcast-result.js"></script><pollcast-result poll="q"></pollcast-result>`;
  const allowed = await site(t, page);
  const stranger = await site(t, page);
  const s = await stage(t, { embedOrigins: allowed });
  http = s.http;
  await s.openPoll('q', { title: '<b>Wer?</b>' });
  const friend = await browser.newPage();
  await friend.goto(allowed);
  await friend.waitForSelector('pollcast-result h3:text-is("<b>Wer?</b>")');
  t.equal(
    await friend.textContent('pollcast-result .status'),
    'Abstimmung läuft',
    'the result is in the language of the page',
  );
  await (await s.device('d')).vote('vote/q', 'b');
  await friend.waitForSelector('pollcast-result .bars [data-mark="lead"]:has-text("Option b")');
  await picture(friend, 'embedded');
  const foe = await browser.newPage();
  const problems: string[] = [];
  foe.on('console', (message) => problems.push(message.text()));
  await foe.goto(stranger);
  await foe.waitForTimeout(500);
  t.match(problems.join(), /blocked by CORS policy/);
  t.equal(await foe.evaluate(`document.querySelector('pollcast-result').shadowRoot`), null);

  const granted = await fetch(`${s.http}/api/polls/q/result`, { headers: { origin: allowed } });
  t.equal(granted.headers.get('access-control-allow-origin'), allowed);
  t.match(granted.headers.get('vary'), /origin/i);
  const refused = await fetch(`${s.http}/api/polls/q/result`, { headers: { origin: stranger } });
  t.equal(refused.headers.get('access-control-allow-origin'), null);
  const headers = {
    origin: allowed,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  };
  const preflight = await fetch(`${s.http}/api/polls/q/close`, { method: 'OPTIONS', headers });
  t.notMatch(
    preflight.headers.get('access-control-allow-methods') ?? '',
    /POST/,
    'other sites can show results but not operate polls',
  );
  t.notMatch(preflight.headers.get('access-control-allow-headers') ?? '', /authorization/i);
});

t.test('without an allow-list, no other site can read results', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const answer = await fetch(`${s.http}/api/polls/q/result`, { headers: { origin: 'https://elsewhere.example' } });
  t.equal(answer.headers.get('access-control-allow-origin'), null);
});
