import { useState } from 'preact/hooks';
import type { DeviceAnswer, RegisteredDevice } from '../../../../client/answers.ts';
import { formatNumber, formatTime } from '../../words/language.ts';
import { saveFile } from '../api.ts';
import { useAttempt, useDesk } from '../context.ts';
import { isFound, Search } from '../search.tsx';
import { useReading } from '../use-reading.ts';
import { tell } from '../words.ts';
import { countsOf } from './device-import.tsx';
import { NewDeviceForm } from './new-device.tsx';
import { NicknamesPanel } from './nicknames.tsx';
import { Trace } from './trace.tsx';

const READ_EVERY_MS = 10_000;
/** How many rows are shown initially, and how many each click on the button below adds. */
const PAGE = 200;
/** A battery level below this percentage is marked as low. */
const LOW_BATTERY = 20;

/** Every registered device: who has it, its status, and the weight of its vote. */
export function Devices() {
  const { api, deployment, may, notify, secrets, setSecrets } = useDesk();
  const [devices, setDevices] = useState<readonly DeviceAnswer[]>();
  const [sought, seek] = useState('');
  const [shown, show] = useState(PAGE);
  const [traced, trace] = useState('');
  const reload = async () => {
    const all = await api.devices().catch(() => undefined);
    if (all) setDevices(all);
  };
  useReading(reload, READ_EVERY_MS, [api]);
  const registered = async (made: readonly RegisteredDevice[], text: string) => {
    setSecrets([...secrets, ...made]);
    notify({ text, isBad: false });
    await reload();
  };
  const traceOne = (device: string) => {
    trace(device);
    document.querySelector<HTMLElement>('#trace')?.focus();
  };
  const found = (devices ?? []).filter(({ device, label, group, lentTo }) =>
    isFound(sought, device, label, group, lentTo),
  );
  return (
    <>
      <div class="head">
        <h1>
          {tell('nav.devices')} <small>{devices && formatNumber(devices.length)}</small>
        </h1>
        <Search sought={sought} onSeek={seek} />
      </div>
      {deployment.door === 'open' && <p class="panel hint">{tell('devices.open')}</p>}
      {may('device.register') && (
        <NewDeviceForm
          onRegistered={(made) => registered([made], tell('devices.registered', { n: formatNumber(1) }))}
          onImported={(answer) => registered(answer.devices, tell('import.done', countsOf(answer)))}
        />
      )}
      {may('guest.moderate') && <NicknamesPanel />}
      {secrets.length > 0 && <Secrets secrets={secrets} onForget={() => setSecrets([])} />}
      {devices && devices.length > 0 && (
        <section class="scroll panel" aria-label={tell('nav.devices')}>
          <table class="list wide">
            <caption class="unseen">{tell('nav.devices')}</caption>
            <thead>
              <tr>
                {(['device', 'label', 'group', 'weight', 'lentTo', 'seen', 'battery', 'signal'] as const).map(
                  (column) => (
                    <th key={column} scope="col">
                      {tell(`devices.${column}`)}
                    </th>
                  ),
                )}
                <th scope="col">
                  <span class="unseen">{tell('devices.actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, shown).map((device) => (
                <DeviceLine
                  key={device.device}
                  device={device}
                  onDone={reload}
                  onTrace={() => traceOne(device.device)}
                />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {found.length > shown && (
        <button type="button" class="quiet" onClick={() => show(shown + PAGE)}>
          {tell('more', { n: formatNumber(found.length - shown) })}
        </button>
      )}
      <Trace device={traced} onDevice={trace} />
    </>
  );
}

interface DeviceLineParts {
  readonly device: DeviceAnswer;
  readonly onDone: () => Promise<void>;
  readonly onTrace: () => void;
}

function DeviceLine({ device: one, onDone, onTrace }: DeviceLineParts) {
  const { api, may } = useDesk();
  const mayChange = may('device.change');
  const attempt = useAttempt();
  const { device, label, group, weight, mandates, lentTo, lentAt, status, seenAt } = one;
  const act = async (work: () => Promise<unknown>) => {
    await attempt(work);
    await onDone();
  };
  const change = (changes: object) => act(() => api.changeDevice(device, changes));
  const lend = () => {
    const name = prompt(tell('devices.lendTo', { device }));
    if (name?.trim()) void change({ lentTo: name.trim().slice(0, 100) });
  };
  const set = (field: 'label' | 'group' | 'weight', before: string | null) => {
    const value = prompt(tell('devices.set', { device, field: tell(`devices.${field}`) }), before ?? '');
    if (value !== null) void change({ [field]: value.trim() || null });
  };
  const revoke = () => {
    if (confirm(tell('devices.revokeSure', { device }))) void act(() => api.revokeDevice(device));
  };
  const { battery, signal } = numbersOf(status);
  const editable = (field: 'label' | 'group' | 'weight', value: string | null) => (
    <td>
      {mayChange ? (
        <button
          type="button"
          class="cell"
          onClick={() => set(field, value)}
          aria-label={`${tell(`devices.${field}`)}: ${value ?? '–'}`}
        >
          <span dir="auto">{value ?? '–'}</span>
        </button>
      ) : (
        <span dir="auto">{value ?? '–'}</span>
      )}
    </td>
  );
  return (
    <tr>
      <th scope="row">
        {device}
        {mandates.length > 0 && <small> +{mandates.length}</small>}
      </th>
      {editable('label', label)}
      {editable('group', group)}
      {editable('weight', weight)}
      <td dir="auto">{lentTo ? `${lentTo}${lentAt ? ` (${formatTime(lentAt)})` : ''}` : '–'}</td>
      <td>{seenAt ? formatTime(seenAt) : '–'}</td>
      <td class={battery !== undefined && battery < LOW_BATTERY ? 'bad' : undefined}>
        {battery === undefined ? '–' : `${battery < LOW_BATTERY ? '⚠ ' : ''}${formatNumber(battery)} %`}
      </td>
      <td>{signal === undefined ? '–' : `${formatNumber(signal)} dBm`}</td>
      <td class="actions">
        {!mayChange ? null : lentTo ? (
          <button type="button" class="quiet" onClick={() => void change({ lentTo: null })}>
            {tell('devices.return')}
            <span class="unseen"> {device}</span>
          </button>
        ) : (
          <button type="button" class="quiet" onClick={lend}>
            {tell('devices.lend')}
            <span class="unseen"> {device}</span>
          </button>
        )}
        <button type="button" class="quiet" onClick={onTrace}>
          {tell('devices.trace')}
          <span class="unseen"> {device}</span>
        </button>
        {may('device.revoke') && (
          <button type="button" class="quiet" onClick={revoke}>
            {tell('devices.revoke')}
            <span class="unseen"> {device}</span>
          </button>
        )}
      </td>
    </tr>
  );
}

/** The secrets of new devices, which are shown only once. */
function Secrets({ secrets, onForget }: { secrets: readonly RegisteredDevice[]; onForget: () => void }) {
  const csv = ['device,secret', ...secrets.map(({ device, secret }) => `${device},${quoted(secret)}`)].join('\r\n');
  return (
    <section class="panel">
      <h2>{tell('secrets')}</h2>
      <p class="hint">{tell('secrets.once')}</p>
      <div class="scroll secrets" role="group" aria-label={tell('secrets')}>
        <table class="list">
          <thead>
            <tr>
              <th scope="col">{tell('devices.device')}</th>
              <th scope="col">{tell('secrets.secret')}</th>
            </tr>
          </thead>
          <tbody>
            {secrets.slice(0, PAGE).map(({ device, secret }) => (
              <tr key={device}>
                <th scope="row">{device}</th>
                <td>
                  <code>{secret}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="actions">
        <button
          type="button"
          class="send"
          onClick={() => saveFile(new Blob([`${csv}\r\n`], { type: 'text/csv' }), 'secrets.csv')}
        >
          {tell('secrets.save')}
        </button>
        <button type="button" class="quiet" onClick={onForget}>
          {tell('secrets.forget')}
        </button>
      </div>
    </section>
  );
}

/** A device’s battery (%) and signal (dBm), if its last status contains them. */
function numbersOf(status: unknown): { battery?: number | undefined; signal?: number | undefined } {
  const { battery, signal } = (status ?? {}) as Readonly<Record<string, unknown>>;
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  return { battery: number(battery), signal: number(signal) };
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
