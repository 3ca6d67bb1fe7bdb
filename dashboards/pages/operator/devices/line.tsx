import type { DeviceAnswer } from '../../../../client/answers.ts';
import { formatNumber, formatTime } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';

/** A battery level below this percentage is marked as low. */
const LOW_BATTERY = 20;

interface DeviceLineParts {
  readonly device: DeviceAnswer;
  readonly isChosen: boolean;
  /** Undefined if nothing can be done with several devices. */
  readonly onChoose: (() => void) | undefined;
  readonly onDone: () => Promise<void>;
  readonly onTrace: () => void;
}

/** A device in the list. */
export function DeviceLine({ device: one, isChosen, onChoose, onDone, onTrace }: DeviceLineParts) {
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
    <tr data-chosen={isChosen || undefined}>
      {onChoose && (
        <td>
          <label class="tick">
            <input type="checkbox" checked={isChosen} onChange={onChoose} />
            <span class="unseen">{tell('chosen.one', { device })}</span>
          </label>
        </td>
      )}
      <th scope="row">
        {device}
        {mandates.length > 0 && <small> +{mandates.length}</small>}
      </th>
      {editable('label', label)}
      {editable('group', group)}
      {editable('weight', weight)}
      <td dir="auto">{lentTo ? `${lentTo}${lentAt ? ` (${formatTime(lentAt)})` : ''}` : '–'}</td>
      <td>
        <Access device={one} />
      </td>
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

/** What became of the device’s claim code and of a secret that replaces its own. */
function Access({ device: { claim, claimedAt, oldSecretUntil } }: { device: DeviceAnswer }) {
  const marks: (readonly [state: string, mark: string, text: string])[] = [];
  const now = Date.now();
  const endMs = claim?.expiresAt ? Date.parse(claim.expiresAt) : Infinity;
  if (oldSecretUntil && Date.parse(oldSecretUntil) > now) marks.push(['open', '○', tell('access.next')]);
  if (claim && endMs <= now) marks.push(['over', '⚠', tell('access.expired', { time: formatTime(endMs) })]);
  else if (claim?.expiresAt) marks.push(['open', '○', tell('access.until', { time: formatTime(endMs) })]);
  else if (claim) marks.push(['open', '○', tell('access.unused')]);
  else if (claimedAt) marks.push(['used', '✓', tell('access.used', { time: formatTime(claimedAt) })]);
  if (marks.length === 0) return <>–</>;
  return (
    <>
      {marks.map(([state, mark, text]) => (
        <span key={text} class="access" data-access={state}>
          <span aria-hidden="true">{mark} </span>
          {text}
        </span>
      ))}
    </>
  );
}

/** A device’s battery (%) and signal (dBm), if its last status contains them. */
function numbersOf(status: unknown): { battery?: number | undefined; signal?: number | undefined } {
  const { battery, signal } = (status ?? {}) as Readonly<Record<string, unknown>>;
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  return { battery: number(battery), signal: number(signal) };
}
