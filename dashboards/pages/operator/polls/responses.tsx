import { useEffect, useState } from 'preact/hooks';
import type { ResponsesAnswer } from '../../../../client/answers.ts';
import { formatNumber } from '../../words/language.ts';
import { useDesk } from '../context.ts';
import { tell } from '../words.ts';

const READ_EVERY_MS = 3_000;

/** Which registered devices have answered; never what they answered. */
export function Responses({ poll, isOpen }: { poll: string; isOpen: boolean }) {
  const { api } = useDesk();
  const [isShown, show] = useState(false);
  const [answers, setAnswers] = useState<ResponsesAnswer>();
  useEffect(() => {
    if (!isShown) return;
    const read = () => {
      if (!document.hidden) void api.responses(poll).then(setAnswers, () => undefined);
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
        {responses.map(({ voter, label, mandate, group, answered }) => (
          <li
            key={voter}
            data-answered={answered || undefined}
            data-mandate={mandate !== undefined || undefined}
            title={group ?? undefined}
          >
            <span aria-hidden="true">{answered ? '✓' : '·'}</span> <span dir="auto">{label ?? voter}</span>
            <span class="unseen">{tell(answered ? 'responses.yes' : 'responses.no')}</span>
          </li>
        ))}
        {answers?.guests.map(({ voter, nickname }) => (
          <li key={voter} data-answered title={voter}>
            <span aria-hidden="true">✓</span> <span dir="auto">{nickname}</span>
            <span class="unseen">{tell('responses.yes')}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
