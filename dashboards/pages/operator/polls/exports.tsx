import type { PollAnswer } from '../../../../client/answers.ts';
import { pollPath } from '../../../../client/api.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';

/** Buttons that download results as files. `isSettled`: whether the log of the round does not grow any more */
export function Exports({ poll: { poll, round, secrecy }, isSettled }: { poll: PollAnswer; isSettled: boolean }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  if (round === 0) return null;
  const files = [
    { name: 'results', path: pollPath(poll, 'result.csv'), file: `${poll}-results.csv`, isAvailable: true },
    { name: 'json', path: pollPath(poll, 'results'), file: `${poll}-results.json`, isAvailable: true },
    {
      name: 'ballots',
      path: pollPath(poll, 'ballots.csv'),
      file: `${poll}-${round}-ballots.csv`,
      isAvailable: secrecy !== 'secret',
    },
    { name: 'audit', path: pollPath(poll, 'audit'), file: `${poll}-${round}.audit.jsonl`, isAvailable: isSettled },
  ] as const;
  return (
    <section class="panel">
      <h2>{tell('exports')}</h2>
      <div class="actions">
        {files.map(({ name, path: from, file, isAvailable }) => (
          <button
            key={name}
            type="button"
            class="quiet"
            disabled={!isAvailable}
            onClick={() => void attempt(() => api.download(from, file))}
          >
            {tell(`exports.${name}`)}
          </button>
        ))}
      </div>
      {!isSettled && <p class="hint">{tell('exports.auditLater')}</p>}
    </section>
  );
}
