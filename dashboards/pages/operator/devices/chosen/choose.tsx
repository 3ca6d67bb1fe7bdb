import { useState } from 'preact/hooks';
import type { DeviceAnswer } from '../../../../../client/answers.ts';
import { formatNumber } from '../../../words/language.ts';
import { tell } from '../../words.ts';
import { idsIn } from './ids.ts';

/** How many ids that are not registered are named. */
const NAMED = 20;

interface ChooseDevicesParts {
  readonly devices: readonly DeviceAnswer[];
  readonly onChoose: (devices: readonly string[]) => void;
}

/** Chooses devices by group, or by a list of their ids. */
export function ChooseDevices({ devices, onChoose }: ChooseDevicesParts) {
  const [group, setGroup] = useState('');
  const [text, setText] = useState('');
  const [found, setFound] = useState<{ readonly known: readonly string[]; readonly unknown: readonly string[] }>();
  const groups = new Map<string, string[]>();
  for (const { device, group: own } of devices) {
    if (own !== null) groups.set(own, [...(groups.get(own) ?? []), device]);
  }
  const chooseListed = (listed: string) => {
    const registered = new Set(devices.map(({ device }) => device));
    const ids = idsIn(listed);
    const known = ids.filter((id) => registered.has(id));
    setFound({ known, unknown: ids.filter((id) => !registered.has(id)) });
    onChoose(known);
  };
  const chooseInFile = async (input: HTMLInputElement) => {
    const [file] = input.files ?? [];
    if (file) chooseListed(await file.text());
    // Otherwise choosing the same file again, after correcting it, would not fire a change event.
    input.value = '';
  };
  return (
    <details class="panel choose">
      <summary>{tell('chosen')}</summary>
      <p class="hint">{tell('chosen.about')}</p>
      {groups.size > 0 && (
        <form
          class="apply"
          onSubmit={(event) => {
            event.preventDefault();
            onChoose(groups.get(group) ?? []);
          }}
        >
          <label>
            {tell('chosen.group')}
            <select name="ofGroup" value={group} onChange={({ currentTarget }) => setGroup(currentTarget.value)}>
              <option value="">–</option>
              {[...groups]
                .sort(([a], [b]) => a.localeCompare(b))
                .map(([name, { length }]) => (
                  <option key={name} value={name}>
                    {name} ({formatNumber(length)})
                  </option>
                ))}
            </select>
          </label>
          <button type="submit" class="quiet" disabled={!groups.has(group)}>
            {tell('chosen.addGroup')}
          </button>
        </form>
      )}
      <form
        class="apply"
        onSubmit={(event) => {
          event.preventDefault();
          chooseListed(text);
        }}
      >
        <label>
          {tell('chosen.ids')}
          <textarea
            name="ids"
            rows={2}
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
        <button type="submit" class="quiet" disabled={text.trim() === ''}>
          {tell('chosen.add')}
        </button>
      </form>
      <label>
        {tell('chosen.file')}
        <input
          type="file"
          name="idsFile"
          accept=".csv,.tsv,.txt,text/csv,text/plain"
          onChange={({ currentTarget }) => void chooseInFile(currentTarget)}
        />
      </label>
      <div role="status">
        {found && <p>{tell('chosen.added', { n: formatNumber(found.known.length) })}</p>}
        {found && found.unknown.length > 0 && (
          <p class="bad" dir="auto">
            ⚠ {tell('chosen.unknown', { names: found.unknown.slice(0, NAMED).join(', ') })}
            {found.unknown.length > NAMED &&
              ` ${tell('import.andMore', { n: formatNumber(found.unknown.length - NAMED) })}`}
          </p>
        )}
      </div>
    </details>
  );
}
