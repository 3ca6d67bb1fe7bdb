import type { Browser } from 'playwright-core';
import t from 'tap';
import type { Entry } from '../../core/voting/count/entry.ts';
import { stage } from '../support/stage.ts';
import { SIZES, startBrowser, visit } from './support/browser.ts';
import { signIn } from './support/operator.ts';

let browser: Browser;
t.before(async () => {
  browser = await startBrowser(t);
});

const SAID = {
  en: /Part of the votes could not be read/,
  de: /Ein Teil der Stimmen konnte nicht gelesen werden/,
  es: /No se ha podido leer una parte de los votos/,
  fr: /Une partie des votes n’a pas pu être lue/,
};

t.test('every page says that a part of the votes is missing, and none calls the result final', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { room: 'hall' });
  const damaged: Entry = JSON.parse('{"type":"damaged"}');
  await s.pollcast.store.log.append(0, damaged);
  await (await s.device('d1')).vote('vote/q', 'a');
  await s.resultAfter('q', 1);
  await s.call('POST', '/api/polls/q/close', { operator: true });

  for (const [language, said] of Object.entries(SAID)) {
    const { page, close } = await visit(browser, `${s.http}/screen/room/hall?lang=${language}`);
    await page.waitForSelector('.outcome');
    t.match(await page.textContent('.outcome'), said, language);
    t.equal(await page.$('[data-status="final"]'), null);
    await close();
  }
  const phone = await visit(browser, `${s.http}/vote/hall`, { viewport: SIZES.phone });
  await phone.page.waitForSelector('.outcome');
  t.match(await phone.page.textContent('.outcome'), SAID.en);
  await phone.close();
  const desk = await signIn(browser, s, '#/polls/q');
  await desk.page.waitForSelector('.outcome');
  t.match(await desk.page.textContent('.outcome'), SAID.en);
  t.equal(await desk.page.$('.actions button[disabled]:has-text("Audit")'), null, 'its log can be exported');
  await desk.close();
});
