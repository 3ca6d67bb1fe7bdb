import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { type Stage, stage } from '../stage.ts';
import { overflow, seriousFindings } from './browser.ts';
import { exhibit, GALLERY } from './gallery.ts';

/** Rounds that are over by the time they are looked at: winners, verdicts, right answers, leaderboards. */
export const CLOSED = ['motion', 'irv', 'stv', 'condorcet', 'borda', 'star', 'quiz', 'short', 'numeric'];

/** Every poll of the gallery, each in a room of its own. */
export async function exhibition(t: Test): Promise<Stage> {
  const s = await stage(t);
  await Promise.all(Object.keys(GALLERY).map((name) => exhibit(s, name, name, { room: `room-${name}` })));
  await Promise.all(CLOSED.map((poll) => s.call('POST', `/api/polls/${poll}/close`, { operator: true })));
  return s;
}

/** Nothing is wider than the window. */
export async function fits(t: Test, page: Page, what: string): Promise<void> {
  const wide = await overflow(page);
  t.ok(wide <= 0, `${what}: ${wide} px too wide`);
}

/** axe-core finds nothing serious. */
export async function isAccessible(t: Test, page: Page, what: string): Promise<void> {
  t.same(await seriousFindings(page), [], `${what}: accessible`);
}
