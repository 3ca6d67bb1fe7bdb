import type { Browser, BrowserContextOptions } from 'playwright-core';
import type { Stage } from '../../support/stage.ts';
import { type Visit, visit } from './browser.ts';

/** Opens the operator’s page, signed in. @param hash the part of the page to show, such as `#/polls/q` */
export async function signIn(
  browser: Browser,
  s: Stage,
  hash = '',
  options: BrowserContextOptions = {},
  expected?: RegExp,
): Promise<Visit> {
  const found = await visit(browser, `${s.http}/${hash}`, options, expected);
  await found.page.fill('input[name=token]', 'operator-token-of-tests');
  await found.page.click('button[type=submit]');
  await found.page.waitForSelector('.desk');
  return found;
}
