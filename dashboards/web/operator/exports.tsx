import { type PollInfo, pollPath } from './api.ts';
import { useAttempt, useDesk } from './context.ts';
import { tell } from './words.ts';

/** Takes results away, as files. */
export function Exports({ poll: { poll, round, secrecy }, isFinal }: { poll: PollInfo; isFinal: boolean }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  if (round === 0) return null;
  const path = pollPath(poll);
  const files = [
    { name: 'results', path: `${path}/result.csv`, file: `${poll}-results.csv`, isThere: true },
    { name: 'json', path: `${path}/results`, file: `${poll}-results.json`, isThere: true },
    {
      name: 'ballots',
      path: `${path}/ballots.csv`,
      file: `${poll}-${round}-ballots.csv`,
      isThere: secrecy !== 'secret',
    },
    { name: 'audit', path: `${path}/audit`, file: `${poll}-${round}.audit.jsonl`, isThere: isFinal },
  ] as const;
  return (
    <section class="panel">
      <h2>{tell('exports')}</h2>
      <div class="actions">
        {files.map(({ name, path: from, file, isThere }) => (
          <button
            key={name}
            type="button"
            class="quiet"
            disabled={!isThere}
            onClick={() => void attempt(() => api.download(from, file))}
          >
            {tell(`exports.${name}`)}
          </button>
        ))}
      </div>
      {!isFinal && <p class="hint">{tell('exports.auditLater')}</p>}
    </section>
  );
}
