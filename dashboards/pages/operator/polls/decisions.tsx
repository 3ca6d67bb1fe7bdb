import { useState } from 'preact/hooks';
import type { PollAnswer } from '../../../../client/answers.ts';
import type { OpenResult, Result } from '../../../../core/voting/result/result.ts';
import { undecidedIn } from '../../../../core/voting/result/undecided.ts';
import { labelIn } from '../../charts/drawing.ts';
import { formatList } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';

interface DecisionsProps {
  readonly poll: PollAnswer;
  readonly result: Result;
  readonly onDone: () => Promise<void>;
}

/** What people decide about a final result: the order of a lot that was drawn, and options that were withdrawn. */
export function DecisionsPanel({ poll, result, onDone }: DecisionsProps) {
  if (result.hidden || !result.final || !result.winners) return null;
  const undecided = undecidedIn(result);
  return (
    <section class="panel stack" aria-labelledby="decisions">
      <h2 id="decisions">{tell('decisions')}</h2>
      {undecided.length > 0 && (
        <Lot key={undecided.join()} poll={poll} result={result} level={undecided} onDone={onDone} />
      )}
      <Withdrawal poll={poll} result={result} onDone={onDone} />
    </section>
  );
}

/** The level options, to be chosen in the order in which they were drawn. */
function Lot({ poll, result, level, onDone }: DecisionsProps & { readonly level: readonly string[] }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [drawn, draw] = useState<readonly string[]>([]);
  const name = (key: string) => labelIn(result, key);
  const enter = async () => {
    if (!confirm(tell('decisions.lotSure', { names: formatList(drawn.map(name)) }))) return;
    await attempt(() => api.enterLot(poll.poll, drawn));
    await onDone();
  };
  return (
    <fieldset class="stack">
      <legend>{tell('decisions.lot', { names: formatList(level.map(name)) })}</legend>
      <p class="hint">{tell('decisions.lotAbout')}</p>
      <div class="actions">
        {level
          .filter((key) => !drawn.includes(key))
          .map((key) => (
            <button key={key} type="button" class="quiet" dir="auto" onClick={() => draw([...drawn, key])}>
              {name(key)}
            </button>
          ))}
      </div>
      <ol aria-live="polite" aria-label={tell('decisions.drawn')}>
        {drawn.map((key) => (
          <li key={key} dir="auto">
            {name(key)}
          </li>
        ))}
      </ol>
      <div class="actions">
        <button type="button" class="send" disabled={drawn.length < level.length} onClick={() => void enter()}>
          {tell('decisions.lotEnter')}
        </button>
        <button type="button" class="quiet" disabled={drawn.length === 0} onClick={() => draw([])}>
          {tell('decisions.lotClear')}
        </button>
      </div>
    </fieldset>
  );
}

function Withdrawal({ poll, result, onDone }: DecisionsProps) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [wanted, want] = useState('');
  const gone = new Set((result as OpenResult).withdrawals?.map(({ option }) => option));
  const left = result.options.filter(({ key }) => !gone.has(key));
  const withdraw = async () => {
    if (!confirm(tell('decisions.withdrawSure', { name: labelIn(result, wanted) }))) return;
    await attempt(() => api.withdrawOption(poll.poll, wanted));
    want('');
    await onDone();
  };
  return (
    <details>
      <summary>{tell('decisions.withdraw')}</summary>
      <p class="hint">{tell('decisions.withdrawAbout')}</p>
      <form
        class="apply"
        onSubmit={(event) => {
          event.preventDefault();
          void withdraw();
        }}
      >
        <label>
          {tell('decisions.option')}
          <select name="withdrawn" value={wanted} onChange={({ currentTarget: { value } }) => want(value)}>
            <option value="">–</option>
            {left.map(({ key, label }) => (
              <option key={key} value={key}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="quiet" disabled={wanted === ''}>
          {tell('decisions.withdraw')}
        </button>
      </form>
    </details>
  );
}
