import { useState } from 'preact/hooks';
import type { Secret } from './api.ts';
import { useAttempt, useDesk } from './context.ts';
import { tell } from './words.ts';

const FIELDS = ['device', 'label', 'group', 'weight'] as const;

/** Registers one device, or those of a file. */
export function NewDevice({
  onRegistered,
}: {
  onRegistered: (made: readonly Secret[], existing: readonly string[]) => Promise<void>;
}) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [values, setValues] = useState<Partial<Record<(typeof FIELDS)[number], string>>>({});
  const register = async (event: Event) => {
    event.preventDefault();
    const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== ''));
    const isDone = await attempt(async () => onRegistered([await api.call<Secret>('POST', '/api/devices', body)], []));
    if (isDone) setValues({});
  };
  const importFile = async (input: HTMLInputElement) => {
    const [file] = input.files ?? [];
    if (!file) return;
    await attempt(async () => {
      const isJson = /\.json$/i.test(file.name);
      const type = isJson ? 'application/json' : 'text/csv';
      const answer = await api.call<{ devices: Secret[]; existing: string[] }>(
        'POST',
        '/api/devices/import',
        await file.text(),
        type,
      );
      await onRegistered(answer.devices, answer.existing);
    });
    // The same file may be chosen again, mended.
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
