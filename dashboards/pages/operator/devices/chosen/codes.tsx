import { formatTime } from '../../../words/language.ts';
import { CodeSheet } from '../../code-sheet.tsx';
import { useDesk } from '../../context.ts';
import { tell } from '../../words.ts';

/** The claim codes that were made in this tab, as a sheet to be printed, until the operator has saved them. */
export function ClaimCodes() {
  const { claims, setClaims } = useDesk();
  if (claims.length === 0) return null;
  const codes = claims.map(({ device, label, code, expiresAt }) => ({
    code,
    head: (
      <>
        <b>{device}</b> {label !== null && <span dir="auto">· {label}</span>}
      </>
    ),
    foot: expiresAt === null ? '' : tell('claims.until', { time: formatTime(expiresAt) }),
    qr: { text: code, label: tell('claims.qr', { device }) },
    row: `${device},${code},${expiresAt ?? ''}`,
  }));
  return (
    <section class="panel" aria-labelledby="claim-codes">
      <h2 id="claim-codes">{tell('claims')}</h2>
      <p class="hint">{tell('claims.once')}</p>
      <CodeSheet name={tell('claims')} file="claim-codes.csv" columns="device,code,expires" codes={codes} />
      <p class="actions">
        <button type="button" class="quiet" onClick={() => setClaims([])}>
          {tell('secrets.forget')}
        </button>
      </p>
    </section>
  );
}
