import type { ClaimAnswer } from '../../../../../client/answers.ts';
import { formatNumber, formatTime } from '../../../words/language.ts';
import { CodeSheet, type SheetCode } from '../../code-sheet.tsx';
import { useDesk } from '../../context.ts';
import { tell } from '../../words.ts';

/** The claim codes that were made in this tab, as a sheet to be printed, until the operator has saved them. */
export function ClaimCodes() {
  const { claims, setClaims, tasks } = useDesk();
  if (claims.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="claim-codes">
      <h2 id="claim-codes">{tell('claims')}</h2>
      <p class="hint">{tell('claims.once')}</p>
      {tasks.run?.step === 'running' ? (
        <p>{tell('claims.soFar', { n: formatNumber(claims.length) })}</p>
      ) : (
        <CodeSheet
          name={tell('claims')}
          file="claim-codes.csv"
          columns="device,code,expires"
          codes={claims.map(sheetCode)}
        />
      )}
      <p class="actions">
        <button
          type="button"
          class="quiet"
          onClick={() => setClaims((before) => before.filter((one) => !claims.includes(one)))}
        >
          {tell('secrets.forget')}
        </button>
      </p>
    </section>
  );
}

function sheetCode({ device, label, code, expiresAt }: ClaimAnswer): SheetCode {
  return {
    code,
    head: (
      <>
        <b>{device}</b> {label !== null && <span dir="auto">· {label}</span>}
      </>
    ),
    foot: expiresAt === null ? '' : tell('claims.until', { time: formatTime(expiresAt) }),
    qr: { text: code, label: tell('claims.qr', { device }) },
    row: `${device},${code},${expiresAt ?? ''}`,
  };
}
