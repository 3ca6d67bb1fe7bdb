import { useState } from 'preact/hooks';
import type { TraceAnswer } from '../../../../client/answers.ts';
import { formatNumber, formatTime } from '../../words/language.ts';
import { useDesk } from '../context.ts';
import { useReading } from '../use-reading.ts';
import { tell } from '../words.ts';

const READ_EVERY_MS = 3_000;

/** The last events of one device’s connections, for any id, because a device that does not get in may not be registered. */
export function Trace({ device, onDevice }: { device: string; onDevice: (device: string) => void }) {
  const { api } = useDesk();
  const [trace, setTrace] = useState<TraceAnswer>();
  const wanted = device.trim();
  const read = async () => {
    const found = wanted === '' ? undefined : await api.traceDevice(wanted).catch(() => undefined);
    setTrace(found);
  };
  useReading(read, READ_EVERY_MS, [api, wanted]);
  const events = trace?.device === wanted ? trace.events : [];
  return (
    <section class="panel trace" aria-labelledby="trace">
      <h2 id="trace" tabIndex={-1}>
        {tell('trace')}
      </h2>
      <p class="hint">{tell('trace.about')}</p>
      <label>
        {tell('devices.device')}{' '}
        <input
          name="traced"
          value={device}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => onDevice(currentTarget.value)}
        />
      </label>
      {wanted !== '' && events.length === 0 && <p>{tell('trace.none')}</p>}
      {events.length > 0 && (
        <div class="scroll" role="group" aria-label={tell('trace')}>
          <table class="list">
            <thead>
              <tr>
                {(['at', 'event', 'detail'] as const).map((column) => (
                  <th key={column} scope="col">
                    {tell(`trace.${column}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {events.map(({ at, what, detail, times }, i) => (
                <tr key={`${at} ${i}`} class={what === 'refused' ? 'bad' : undefined}>
                  <td>{formatTime(at)}</td>
                  <td>
                    {tell(`trace.${what}`)}
                    {times > 1 && ` × ${formatNumber(times)}`}
                  </td>
                  <td>
                    <code>{detail ?? '–'}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
