import { useEffect, useRef, useState } from 'preact/hooks';
import type { ImportAnswer, ImportedDevice } from '../../../../client/answers.ts';
import { formatNumber } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';

/** How many devices of a preview are shown. */
const SHOWN = 50;
const SEPARATORS: Readonly<Record<string, 'comma' | 'semicolon' | 'tab'>> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
};

/** A chosen file, and what importing it would change. */
interface Preview {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly answer: ImportAnswer;
}

/** Imports devices from a file, after showing what would change. */
export function DeviceImport({ onImported }: { onImported: (answer: ImportAnswer) => Promise<void> }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [preview, setPreview] = useState<Preview>();
  const choose = async (input: HTMLInputElement) => {
    const [file] = input.files ?? [];
    if (!file) return;
    setPreview(undefined);
    await attempt(async () => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      setPreview({ bytes, answer: await api.importDevices(bytes, { dryRun: true }) });
    });
    // Otherwise choosing the same file again, after correcting it, would not fire a change event.
    input.value = '';
  };
  const apply = async ({ bytes }: Preview) => {
    const isDone = await attempt(async () => onImported(await api.importDevices(bytes)));
    if (isDone) setPreview(undefined);
  };
  return (
    <>
      <label>
        {tell('devices.import')}
        <input
          type="file"
          accept=".csv,.tsv,.txt,.json,text/csv,text/tab-separated-values,application/json"
          onChange={({ currentTarget }) => void choose(currentTarget)}
        />
      </label>
      <p class="hint">{tell('devices.importAbout')}</p>
      {preview && (
        <ImportPreview
          answer={preview.answer}
          onApply={() => void apply(preview)}
          onCancel={() => setPreview(undefined)}
        />
      )}
    </>
  );
}

interface ImportPreviewProps {
  readonly answer: ImportAnswer;
  readonly onApply: () => void;
  readonly onCancel: () => void;
}

/** What an import would change. The heading gets the focus, so that screen readers read it. */
function ImportPreview({ answer, onApply, onCancel }: ImportPreviewProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [answer]);
  const { added, changed, table } = answer;
  const separator = table && SEPARATORS[table.separator];
  return (
    <section class="changes" aria-labelledby="import-title">
      <h2 id="import-title" ref={heading} tabIndex={-1}>
        {tell('import.title')}
      </h2>
      <p>{tell('import.counts', countsOf(answer))}</p>
      {table && separator && (
        <p class="hint">
          {tell('import.read', { encoding: table.encoding, separator: tell(`import.separator.${separator}`) })}{' '}
          {table.encoding !== 'UTF-8' && tell('import.letters')}
        </p>
      )}
      {table && table.ignoredColumns.length > 0 && (
        <p class="hint" dir="auto">
          {tell('import.ignored', { names: table.ignoredColumns.join(', ') })}
        </p>
      )}
      {changed.length > 0 && <Changes title={tell('import.changed')} devices={changed} hasBefore />}
      {added.length > 0 && <Changes title={tell('import.new')} devices={added} hasBefore={false} />}
      <div class="actions">
        <button type="button" class="send" disabled={added.length + changed.length === 0} onClick={onApply}>
          {tell('import.apply')}
        </button>
        <button type="button" class="quiet" onClick={onCancel}>
          {tell('editor.cancel')}
        </button>
      </div>
    </section>
  );
}

interface ChangesProps {
  readonly title: string;
  readonly devices: readonly ImportedDevice[];
  readonly hasBefore: boolean;
}

function Changes({ title, devices, hasBefore }: ChangesProps) {
  return (
    <>
      <div class="scroll" role="group" aria-label={title}>
        <table class="list">
          <caption>{title}</caption>
          <thead>
            <tr>
              <th scope="col">{tell('devices.device')}</th>
              <th scope="col">{tell('import.field')}</th>
              {hasBefore && <th scope="col">{tell('import.before')}</th>}
              <th scope="col">{tell('import.after')}</th>
            </tr>
          </thead>
          {devices.slice(0, SHOWN).map(({ device, changes }) => (
            <tbody key={device}>
              {changes.map(({ field, from, to }, i) => (
                <tr key={field}>
                  {i === 0 && (
                    <th scope="rowgroup" rowSpan={changes.length}>
                      {device}
                    </th>
                  )}
                  <td>{tell(`devices.${field}`)}</td>
                  {hasBefore && <td dir="auto">{from ?? '–'}</td>}
                  <td dir="auto">{to ?? '–'}</td>
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </div>
      {devices.length > SHOWN && (
        <p class="hint">{tell('import.andMore', { n: formatNumber(devices.length - SHOWN) })}</p>
      )}
    </>
  );
}

/** How many devices an import adds, changes and leaves as they are, as text. */
export function countsOf({
  added,
  changed,
  unchanged,
}: ImportAnswer): Record<'added' | 'changed' | 'unchanged', string> {
  return {
    added: formatNumber(added.length),
    changed: formatNumber(changed.length),
    unchanged: formatNumber(unchanged.length),
  };
}
