import { useEffect, useRef, useState } from 'preact/hooks';
import type { DeviceAnswer } from '../../../../../client/answers.ts';
import { Scroll } from '../../../charts/table/scroll.tsx';
import { formatNumber } from '../../../words/language.ts';
import { useDesk } from '../../context.ts';
import { tell } from '../../words.ts';
import { carryOut, type Outcome, type Task, type TaskSettings } from './tasks.ts';

/** How many of the devices are named before a task begins. */
const NAMED = 40;
/** How many outcomes are listed. */
const LISTED = 200;

interface TaskPanelParts {
  readonly task: Task;
  /** The devices as they were when the operator asked: later ones are not touched. */
  readonly devices: readonly DeviceAnswer[];
  readonly onDone: () => Promise<void>;
  /** Chooses the devices again for which the task was not done. */
  readonly onAgain: (devices: readonly string[]) => void;
  readonly onClose: () => void;
}

/** A task for several devices: says how many and which, carries it out after a confirmation, and shows what became of each. */
export function TaskPanel({ task, devices, onDone, onAgain, onClose }: TaskPanelParts) {
  const { api, claims, setClaims, secrets, setSecrets } = useDesk();
  const [step, setStep] = useState<'asking' | 'running' | 'done'>('asking');
  const [outcomes, setOutcomes] = useState<readonly Outcome[]>([]);
  const heading = useRef<HTMLHeadingElement>(null);
  // So that screen readers read what is asked, and then what was done.
  useEffect(() => {
    if (step !== 'running') heading.current?.focus();
  }, [step]);
  const begin = async (settings: TaskSettings) => {
    setStep('running');
    const ids = devices.map(({ device }) => device);
    await carryOut(task, api, ids, settings, (made, soFar) => {
      setOutcomes(soFar);
      // The newest code and secret of a device are the ones that work.
      if (made.claims.length > 0) setClaims(replaced(claims, made.claims));
      if (made.secrets.length > 0) setSecrets(replaced(secrets, made.secrets));
    });
    setStep('done');
    await onDone();
  };
  const { name } = task;
  const done = outcomes.filter(({ why }) => why === undefined);
  const left = outcomes.filter(({ why }) => why !== undefined);
  return (
    <section class="panel changes task" data-task={name} aria-labelledby="task">
      <h2 id="task" ref={heading} tabIndex={-1}>
        {step === 'done'
          ? tell(`task.${name}.done`, { n: formatNumber(done.length) })
          : tell(`task.${name}.ask`, { n: formatNumber(devices.length) })}
      </h2>
      {step === 'asking' && (
        <Question task={task} devices={devices} onBegin={(settings) => void begin(settings)} onCancel={onClose} />
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
          {left.length > 0 && <p class="bad">⚠ {tell('task.left', { n: formatNumber(left.length) })}</p>}
          {done.length > 0 && <p>{tell(`task.${name}.next`)}</p>}
          <Outcomes outcomes={[...left, ...done]} />
          <div class="actions">
            {left.length > 0 && (
              <button
                type="button"
                class="quiet"
                onClick={() => {
                  onAgain(left.map(({ device }) => device));
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
            {outcomes.slice(0, LISTED).map(({ device, why }) => (
              <tr key={device}>
                <th scope="row">{device}</th>
                <td class={why === undefined ? 'good' : 'bad'}>
                  {why === undefined ? `✓ ${tell('task.done')}` : `⚠ ${why}`}
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

/** What there was, with the new things of each device instead of the old ones. */
function replaced<T extends { readonly device: string }>(before: readonly T[], made: readonly T[]): readonly T[] {
  const now = new Set(made.map(({ device }) => device));
  return [...before.filter(({ device }) => !now.has(device)), ...made];
}
