import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { type Stage, stage } from '../../support/stage.ts';
import { overflow, seriousFindings } from './browser.ts';
import { exhibit, GALLERY } from './gallery.ts';

/** Polls that are closed, so that the pages show winners, verdicts, correct answers and leaderboards. */
export const CLOSED = ['motion', 'irv', 'stv', 'condorcet', 'borda', 'star', 'quiz', 'short', 'numeric'];

/** Opens every poll of the gallery in its own room, and closes the polls in `CLOSED`. */
export async function exhibition(t: Test): Promise<Stage> {
  const s = await stage(t);
  await Promise.all(Object.keys(GALLERY).map((name) => exhibit(s, name, name, { room: `room-${name}` })));
  await Promise.all(CLOSED.map((poll) => s.call('POST', `/api/polls/${poll}/close`, { operator: true })));
  return s;
}

/** Asserts that nothing is wider than the window. */
export async function fits(t: Test, page: Page, what: string): Promise<void> {
  const wide = await overflow(page);
  t.ok(wide <= 0, `${what}: the page is ${wide} px too wide`);
}

/** Asserts that axe-core finds no serious problem. */
export async function isAccessible(t: Test, page: Page, what: string): Promise<void> {
  t.same(await seriousFindings(page), [], `${what}: no serious accessibility problems`);
}
