import type { Pollcast } from './pollcast.ts';

/** The id of the demo poll. */
const DEMO_POLL = 'demo';

/** Creates and opens the demo poll, unless polls exist already. */
export async function createDemo({ polls, dashboard }: Pollcast): Promise<void> {
  if (!dashboard || polls.all().length > 0) return;
  await dashboard.repository.create({
    poll: DEMO_POLL,
    room: 'main',
    title: 'What should we build next?',
    // The bars on the screen move with the first vote.
    visibility: 'live',
    options: [
      { key: 'a', label: 'A better clicker' },
      { key: 'b', label: 'A bigger screen' },
      { key: 'c', label: 'A longer coffee break' },
    ],
  });
  await dashboard.rounds.openRound(DEMO_POLL, 'draft');
}
