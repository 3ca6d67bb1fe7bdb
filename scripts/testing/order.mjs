// In which order test files run, and how many at a time.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fail, ROOT } from '../prepare.mjs';

/** How many places a processor has. */
const PLACES_PER_PROCESSOR = 3;
/** The maximum number of places: a test may need the memory of several servers. */
const MAX_PLACES = 12;

/** How many places there are for the test files that run at a time. */
export const PLACES = Math.min(MAX_PLACES, PLACES_PER_PROCESSOR * availableParallelism());

/** How many places a test file takes: those that compute take a whole processor; those of servers mostly wait. */
const placesOf = (file) => (/^build\/test\/(unit|pages|simulation)\//.test(file) ? PLACES_PER_PROCESSOR : 2);

/** How many of so many places a test file takes. */
export const placesIn = (file, places) => Math.min(placesOf(file), places);

/**
 * The files that take longest begin first, so that none of them is left running alone at the end: first those that compute,
 * because two of them fill two processors; then those of servers, those with the most processes not at the same time.
 */
export const LONGEST = [
  'pages/looks/screen',
  'pages/operator',
  'pages/looks/operator',
  'simulation/simulation',
  'system/sentinel',
  'contract/redis',
  'system/takeover',
  'system/broker/connection/attacks',
  'system/cluster',
  'system/brokers',
  'contract/redis/losses',
  'system/redis-faults',
  'system/closing',
  'system/broker/mqtt5/wills',
  'system/cli/operator',
  'system/cli/count',
  'system/dashboards/attacks',
].map((name) => `build/test/${name}.test.js`);

/** Sorts test files: the longest first, then as they were. */
export function inOrder(files) {
  const gone = LONGEST.find((file) => !existsSync(join(ROOT, file)));
  if (gone) fail(`scripts/testing/order.mjs names ${gone}, which does not exist`);
  const rank = (file) => (LONGEST.includes(file) ? LONGEST.indexOf(file) : LONGEST.length);
  return [...files].sort((a, b) => rank(a) - rank(b));
}

/**
 * Which of the waiting files begins next: the first that fits. None begins before one of the longest, for which places are kept.
 *
 * @param files those that wait, in order
 * @param free how many places are free @param places how many there are
 * @returns {number} its index; -1 if none may begin before one that runs has ended
 */
export function nextOf(files, free, places) {
  const blocked = files.findIndex((file) => LONGEST.includes(file) && placesIn(file, places) > free);
  return files.slice(0, blocked < 0 ? files.length : blocked).findIndex((file) => placesIn(file, places) <= free);
}
