import { useEffect, useState } from 'preact/hooks';
import { formatNumber } from '../words/language.ts';
import { pollPath } from './api.ts';
import { useDesk } from './context.ts';
import { tell } from './words.ts';

const READ_EVERY_MS = 3_000;

interface Answers {
  readonly responses: readonly { voter: string; label: string | null; group: string | null; answered: boolean }[];
  readonly others: number;
}

/** Who of the registered devices has answered; what, nobody is told here. */
export function Responses({ poll, isOpen }: { poll: string; isOpen: boolean }) {
  const { api } = useDesk();
  const [isShown, show] = useState(false);
  const [answers, setAnswers] = useState<Answers>();
  useEffect(() => {
    if (!isShown) return;
    const read = () => {
      if (!document.hidden)
        void api.call<Answers>('GET', `${pollPath(poll)}/responses`).then(setAnswers, () => undefined);
    };
    read();
    const timer = isOpen ? setInterval(read, READ_EVERY_MS) : undefined;
    return () => clearInterval(timer);
  }, [isShown, isOpen, poll]);
  const responses = answers?.responses ?? [];
  const done = responses.filter(({ answered }) => answered).length;
  return (
    <details class="panel" onToggle={({ currentTarget }) => show(currentTarget.open)}>
      <summary>{tell('responses')}</summary>
      {answers && (
        <p class="hint">
          {tell('responses.sum', {
            n: formatNumber(done),
            of: formatNumber(responses.length),
            others: formatNumber(answers.others),
          })}
        </p>
      )}
      <ul class="grid">
        {responses.map(({ voter, label, group, answered }) => (
          <li key={voter} data-answered={answered || undefined} title={group ?? undefined}>
            <span aria-hidden="true">{answered ? '✓' : '·'}</span> <span dir="auto">{label ?? voter}</span>
            <span class="unseen">{tell(answered ? 'responses.yes' : 'responses.no')}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
