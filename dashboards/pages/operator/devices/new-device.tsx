import { useState } from 'preact/hooks';
import type { RegisteredDevice } from '../../../../client/answers.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';

const FIELDS = ['device', 'label', 'group', 'weight'] as const;

/** Registers one device, or those listed in a file. */
export function NewDeviceForm({
  onRegistered,
}: {
  onRegistered: (made: readonly RegisteredDevice[], existing: readonly string[]) => Promise<void>;
}) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [values, setValues] = useState<Partial<Record<(typeof FIELDS)[number], string>>>({});
  const register = async (event: Event) => {
    event.preventDefault();
    const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== ''));
    const isDone = await attempt(async () => onRegistered([await api.registerDevice(body)], []));
    if (isDone) setValues({});
  };
  const importFile = async (input: HTMLInputElement) => {
    const [file] = input.files ?? [];
    if (!file) return;
    await attempt(async () => {
      const { devices, existing } = await api.importDevices(await file.text());
      await onRegistered(devices, existing);
    });
    // Otherwise choosing the same file again, after correcting it, would not fire a change event.
    input.value = '';
  };
  return (
    <details class="panel">
      <summary>{tell('devices.new')}</summary>
      <form class="row" onSubmit={register}>
        {FIELDS.map((field) => (
          <label key={field}>
            {tell(`devices.${field}`)}
            <input
              name={field}
              required={field === 'device'}
              value={values[field] ?? ''}
              onInput={({ currentTarget: { value } }) => setValues({ ...values, [field]: value })}
            />
          </label>
        ))}
        <button type="submit" class="send">
          {tell('devices.register')}
        </button>
      </form>
      <label>
        {tell('devices.import')}
        <input
          type="file"
          accept=".csv,.json,text/csv,application/json"
          onChange={({ currentTarget }) => void importFile(currentTarget)}
        />
      </label>
      <p class="hint">{tell('devices.importAbout')}</p>
    </details>
  );
}
