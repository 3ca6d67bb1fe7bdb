import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Qr } from '../screen/qr.tsx';
import { formatNumber } from '../words/language.ts';
import { saveFile } from './api.ts';
import { tell } from './words.ts';

/** How many codes are drawn on the page. All of them are printed and saved. */
const DRAWN = 200;

/** A code on a sheet. */
export interface SheetCode {
  readonly code: string;
  /** What is above the code, and identifies it. */
  readonly head: ComponentChildren;
  /** What is below the code. */
  readonly foot: string;
  /** What the QR code contains, and its name for screen readers. */
  readonly qr: { readonly text: string; readonly label: string };
  /** The line of the CSV file. */
  readonly row: string;
}

interface CodeSheetParts {
  readonly name: string;
  readonly file: string;
  /** The header of the CSV file. */
  readonly columns: string;
  readonly codes: readonly SheetCode[];
}

/** Codes as a sheet to be printed and cut up, and as a table. */
export function CodeSheet({ name, file, columns, codes }: CodeSheetParts) {
  const save = () => {
    const lines = [columns, ...codes.map(({ row }) => row)];
    saveFile(new Blob([`${lines.join('\r\n')}\r\n`], { type: 'text/csv' }), file);
  };
  const [isPrinting, setPrinting] = useState(false);
  // The rest is drawn only while it is printed: there may be thousands.
  useEffect(() => {
    if (!isPrinting) return;
    const end = () => setPrinting(false);
    addEventListener('afterprint', end, { once: true });
    print();
    return () => removeEventListener('afterprint', end);
  }, [isPrinting]);
  return (
    <>
      <p class="actions">
        <button type="button" class="quiet" onClick={() => setPrinting(true)}>
          {tell('codes.print')}
        </button>
        <button type="button" class="quiet" onClick={save}>
          {tell('codes.save')}
        </button>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable content must be focusable (WCAG 2.1.1) */}
      <ul class="codes plain" aria-label={name} tabIndex={0}>
        {codes.slice(0, isPrinting ? undefined : DRAWN).map(({ code, head, foot, qr }) => (
          <li key={code}>
            <Qr text={qr.text} label={qr.label} />
            <p>
              <small>{head}</small>
              <br />
              <strong dir="ltr">{code}</strong>
              <br />
              <small dir="ltr">{foot}</small>
            </p>
          </li>
        ))}
      </ul>
      {codes.length > DRAWN && !isPrinting && (
        <p class="hint">
          {tell('import.andMore', { n: formatNumber(codes.length - DRAWN) })} {tell('codes.all')}
        </p>
      )}
    </>
  );
}
