import { useEffect, useState } from 'preact/hooks';
import type { RehearsalAnswer } from '../../../../client/answers.ts';
import { formatNumber } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell, tellIfKnown } from '../words.ts';

const READ_EVERY_MS = 500;

/** Lets simulated devices vote in a copy of the poll, and shows whether each vote was counted exactly once. */
export function RehearsalPanel({ poll }: { poll: string }) {
  const { api, deployment } = useDesk();
  const attempt = useAttempt();
  const [state, setState] = useState<RehearsalAnswer | null>(null);
  const [devices, setDevices] = useState(200);
  const [seconds, setSeconds] = useState(10);
  const isRunning = state !== null && state.phase !== 'passed' && state.phase !== 'failed';
  const read = () => api.rehearsal().then(setState, () => undefined);
  useEffect(() => {
    void read();
  }, []);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(read, READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  const begin = async (event: Event) => {
    event.preventDefault();
    await attempt(async () => setState(await api.beginRehearsal(poll, devices, seconds)));
  };
  if (!deployment.rehearsals) {
    return (
      <details class="panel">
        <summary>{tell('rehearsal')}</summary>
        <p>{tell('rehearsal.elsewhere')}</p>
      </details>
    );
  }
  return (
    <details class="panel">
      <summary>{tell('rehearsal')}</summary>
      <p class="hint">{tell('rehearsal.about')}</p>
      <form class="row" onSubmit={begin}>
        <label>
          {tell('rehearsal.devices')}
          <input
            type="number"
            min={1}
            max={2000}
            required
            value={devices}
            onInput={({ currentTarget }) => setDevices(currentTarget.valueAsNumber)}
          />
        </label>
        <label>
          {tell('rehearsal.seconds')}
          <input
            type="number"
            min={1}
            max={120}
            required
            value={seconds}
            onInput={({ currentTarget }) => setSeconds(currentTarget.valueAsNumber)}
          />
        </label>
        <button type="submit" class="send" disabled={isRunning}>
          {tell('rehearsal.begin')}
        </button>
        {isRunning && (
          <button type="button" class="quiet" onClick={() => void attempt(() => api.endRehearsal())}>
            {tell('rehearsal.end')}
          </button>
        )}
      </form>
      {state?.of === poll && <RehearsalState state={state} isRunning={isRunning} />}
    </details>
  );
}

function RehearsalState({ state, isRunning }: { state: RehearsalAnswer; isRunning: boolean }) {
  const { phase, done, total, report, error } = state;
  return (
    <div class="stack">
      <p role="status" class={phase === 'passed' ? 'good' : phase === 'failed' ? 'bad' : undefined}>
        {tellIfKnown(`rehearsal.${phase}`)}
        {error && ` ${error}`}
      </p>
      {isRunning && <progress value={done} max={Math.max(1, total)} aria-label={tell('rehearsal')} />}
      {report && (
        <p class="hint">
          {tell('rehearsal.report', {
            acknowledged: formatNumber(report.acknowledged),
            lost: formatNumber(report.verdict.lost + report.verdict.wrong),
            doubled: formatNumber(report.verdict.doubled),
            ack: formatNumber(report.ack.p99, 0),
            screen: formatNumber(report.screen.p99, 0),
          })}{' '}
          <a href={`#/polls/${encodeURIComponent(state.poll)}`}>{state.poll}</a>
        </p>
      )}
    </div>
  );
}
