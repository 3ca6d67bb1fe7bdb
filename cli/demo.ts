import { checkDefinition } from '../core/voting/definition.ts';
import type { Poll } from '../core/voting/poll.ts';
import type { Pollcast } from './up.ts';

/** The poll that a first start has to show. */
export const DEMO_POLL = 'demo';

/** Creates and opens the demo poll, unless there are polls already. */
export async function createDemo({ store, polls, rounds }: Pollcast): Promise<void> {
  if (polls.all().length > 0) return;
  const { definition } = checkDefinition({
    poll: DEMO_POLL,
    room: 'main',
    title: 'What should we build next?',
    kind: 'single',
    options: [
      { key: 'a', label: 'A better clicker' },
      { key: 'b', label: 'A bigger screen' },
      { key: 'c', label: 'A longer coffee break' },
    ],
    revote: 'last',
    visibility: 'live',
  });
  const poll: Poll = { definition, status: 'draft', round: 0, createdAtMs: Date.now() };
  await store.registry.put('polls', DEMO_POLL, poll, 0);
  await polls.refresh(DEMO_POLL);
  await rounds.open(DEMO_POLL, 'draft');
}
