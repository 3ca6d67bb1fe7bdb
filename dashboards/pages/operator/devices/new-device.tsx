import { useState } from 'preact/hooks';
import type { ImportAnswer, RegisteredDevice } from '../../../../client/answers.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';
import { DeviceImport } from './device-import.tsx';

const FIELDS = ['device', 'label', 'group', 'weight'] as const;

/** Registers one device, or those listed in a file. */
export function NewDeviceForm({
  onRegistered,
  onImported,
}: {
  onRegistered: (made: RegisteredDevice) => Promise<void>;
  onImported: (answer: ImportAnswer) => Promise<void>;
}) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [values, setValues] = useState<Partial<Record<(typeof FIELDS)[number], string>>>({});
  const register = async (event: Event) => {
    event.preventDefault();
    const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== ''));
    const isDone = await attempt(async () => onRegistered(await api.registerDevice(body)));
    if (isDone) setValues({});
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
      <DeviceImport onImported={onImported} />
    </details>
  );
}
