import type { PollAnswer } from '../../../../client/answers.ts';
import { kinds } from '../../../../core/voting/kinds/index.ts';
import type { Result } from '../../../../core/voting/result/result.ts';
import { formatNumber } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';

/** Whether operators can hide phrases of a poll. */
export function isModerated(poll: PollAnswer): poll is PollAnswer<'text'> {
  return 'moderation' in kinds[poll.kind].settings.properties;
}

/** Hides phrases from the word cloud, and shows them again. The ballots are not changed. */
export function ModerationPanel({
  poll,
  result,
  onDone,
}: {
  poll: PollAnswer<'text'>;
  result: Result;
  onDone: () => Promise<void>;
}) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const { hide = [], merge = {} } = poll.moderation ?? {};
  const set = async (hidden: readonly string[]) => {
    await attempt(() => api.changePoll(poll.poll, { moderation: { hide: hidden, merge } }));
    await onDone();
  };
  return (
    <section class="panel">
      <h2>{tell('moderation')}</h2>
      <ul class="grid">
        {result.options.map(({ key, label, count }) => (
          <li key={key}>
            <span dir="auto">{label}</span> ({formatNumber(count ?? 0)}){' '}
            <button type="button" class="quiet" onClick={() => void set([...hide, key])}>
              {tell('moderation.hide')}
              <span class="unseen"> {label}</span>
            </button>
          </li>
        ))}
        {hide.map((phrase) => (
          <li key={`hidden ${phrase}`} class="struck">
            <span dir="auto">{phrase}</span>{' '}
            <button type="button" class="quiet" onClick={() => void set(hide.filter((one) => one !== phrase))}>
              {tell('moderation.show')}
              <span class="unseen"> {phrase}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
