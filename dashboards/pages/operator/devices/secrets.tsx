import type { RegisteredDevice } from '../../../../client/answers.ts';
import { formatNumber } from '../../words/language.ts';
import { saveFile } from '../api.ts';
import { tell } from '../words.ts';

/** How many secrets are shown; the file has all of them. */
const SHOWN = 200;

/** The secrets of new devices, which are shown only once. */
export function Secrets({ secrets, onForget }: { secrets: readonly RegisteredDevice[]; onForget: () => void }) {
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
            {secrets.slice(0, SHOWN).map(({ device, secret }) => (
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
      {secrets.length > SHOWN && (
        <p class="hint">
          {tell('import.andMore', { n: formatNumber(secrets.length - SHOWN) })} {tell('secrets.all')}
        </p>
      )}
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

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
