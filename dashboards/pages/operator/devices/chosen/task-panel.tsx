import { useEffect, useRef, useState } from 'preact/hooks';
import type { DeviceAnswer } from '../../../../../client/answers.ts';
import { Scroll } from '../../../charts/table/scroll.tsx';
import { formatNumber } from '../../../words/language.ts';
import { useDesk } from '../../context.ts';
import { tell } from '../../words.ts';
import type { Outcome, Task, TaskSettings } from './tasks.ts';
import type { TaskRun } from './use-task-run.ts';

/** How many of the devices are named before a task begins. */
const NAMED = 40;
/** How many outcomes are listed. */
const LISTED = 200;

interface TaskPanelParts {
  readonly run: TaskRun;
  readonly onDone: () => Promise<void>;
  /** Chooses the devices again for which the task was not done. */
  readonly onAgain: (devices: readonly string[]) => void;
  readonly onClose: () => void;
}

/** A task for several devices: says how many and which, carries it out after a confirmation, and shows what became of each. */
export function TaskPanel({ run, onDone, onAgain, onClose }: TaskPanelParts) {
  const { api, tasks } = useDesk();
  const { task, devices, step, outcomes } = run;
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef<TaskRun['step'] | undefined>(undefined);
  // The button that was pressed is gone, and screen readers read what is asked, and then what was done. Those who come back from another
  // section have pressed nothing here.
  useEffect(() => {
    if (shown.current !== undefined || step === 'asking') heading.current?.focus();
    if (shown.current === 'running' && step === 'done') void onDone();
    shown.current = step;
  }, [step]);
  const { name } = task;
  const which = (is: Outcome['is']) => outcomes.filter((one) => one.is === is);
  const [done, none, left, unknown] = [which('done'), which('none'), which('left'), which('unknown')];
  const again = [...unknown, ...left];
  return (
    <section class="panel changes task" data-task={name} aria-labelledby="task">
      <h2 id="task" ref={heading} tabIndex={-1}>
        {step === 'done'
          ? tell(`task.${name}.done`, { n: formatNumber(done.length) })
          : tell(step === 'running' ? `task.${name}.busy` : `task.${name}.ask`, { n: formatNumber(devices.length) })}
      </h2>
      {step === 'asking' && (
        <Question task={task} devices={devices} onBegin={(settings) => tasks.begin(api, settings)} onCancel={onClose} />
      )}
      {step === 'running' && (
        <>
          <progress max={devices.length} value={outcomes.length} aria-labelledby="task" />
          <p role="status">
            {tell('task.running', { done: formatNumber(outcomes.length), n: formatNumber(devices.length) })}
          </p>
        </>
      )}
      {step === 'done' && (
        <>
          {unknown.length > 0 && <p class="bad">⚠ {tell('task.maybe', { n: formatNumber(unknown.length) })}</p>}
          {none.length > 0 && <p>{tell('task.none', { n: formatNumber(none.length) })}</p>}
          {left.length > 0 && <p class="bad">⚠ {tell('task.left', { n: formatNumber(left.length) })}</p>}
          {done.length > 0 && <p>{tell(`task.${name}.next`)}</p>}
          <Outcomes outcomes={[...again, ...none, ...done]} />
          <div class="actions">
            {again.length > 0 && (
              <button
                type="button"
                class="quiet"
                onClick={() => {
                  onAgain(again.map(({ device }) => device));
                  onClose();
                }}
              >
                {tell('task.again')}
              </button>
            )}
            <button type="button" class="quiet" onClick={onClose}>
              {tell('close.notice')}
            </button>
          </div>
        </>
      )}
    </section>
  );
}

interface QuestionParts {
  readonly task: Task;
  readonly devices: readonly DeviceAnswer[];
  readonly onBegin: (settings: TaskSettings) => void;
  readonly onCancel: () => void;
}

/** What the task would do and with which devices. */
function Question({ task: { name }, devices, onBegin, onCancel }: QuestionParts) {
  const [days, setDays] = useState('');
  const [isNow, setNow] = useState(false);
  const begin = (event: Event) => {
    event.preventDefault();
    onBegin({ days: days === '' ? undefined : Number(days), isNow });
  };
  return (
    <form onSubmit={begin}>
      <p>{tell(`task.${name}.about`)}</p>
      <ul class="grid" aria-label={tell('nav.devices')}>
        {devices.slice(0, NAMED).map(({ device, label }) => (
          <li key={device}>
            <b>{device}</b> {label !== null && <span dir="auto">{label}</span>}
          </li>
        ))}
      </ul>
      {devices.length > NAMED && (
        <p class="hint">{tell('import.andMore', { n: formatNumber(devices.length - NAMED) })}</p>
      )}
      {name === 'claim' && (
        <label class="days">
          {tell('task.days')}
          <input
            name="days"
            type="number"
            min="1"
            max="365"
            value={days}
            onInput={({ currentTarget }) => setDays(currentTarget.value)}
          />
        </label>
      )}
      {name === 'secret' && (
        <label class="flag">
          <input
            name="now"
            type="checkbox"
            checked={isNow}
            onChange={({ currentTarget }) => setNow(currentTarget.checked)}
          />
          {tell('task.now')}
        </label>
      )}
      <div class="actions">
        <button type="submit" class={name === 'revoke' || isNow ? 'stop' : 'send'}>
          {tell(`task.${name}`)} ({formatNumber(devices.length)})
        </button>
        <button type="button" class="quiet" onClick={onCancel}>
          {tell('editor.cancel')}
        </button>
      </div>
    </form>
  );
}

function Outcomes({ outcomes }: { outcomes: readonly Outcome[] }) {
  return (
    <>
      <Scroll name={tell('task.outcome')}>
        <table class="list">
          <thead>
            <tr>
              <th scope="col">{tell('devices.device')}</th>
              <th scope="col">{tell('task.outcome')}</th>
            </tr>
          </thead>
          <tbody>
            {outcomes.slice(0, LISTED).map(({ device, is, why }) => (
              <tr key={device} data-is={is}>
                <th scope="row">{device}</th>
                <td class={is === 'done' ? 'good' : is === 'none' ? undefined : 'bad'}>
                  {is === 'done' ? `✓ ${tell('task.done')}` : is === 'none' ? tell('task.hadNone') : `⚠ ${why}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {outcomes.length > LISTED && (
        <p class="hint">{tell('import.andMore', { n: formatNumber(outcomes.length - LISTED) })}</p>
      )}
    </>
  );
}
