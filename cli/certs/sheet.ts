import { renderSVG } from 'uqr';

/** What a fingerprint sheet shows of an authority. */
interface Shown {
  readonly name: string;
  /** The SHA-256 fingerprint, in pairs of digits. */
  readonly fingerprint: string;
  /** The last day on which it is valid. */
  readonly until: string;
}

/** What the QR code of an authority says: enough to compare with what a phone or a browser shows. */
export function codeText(fingerprint: string): string {
  return `SHA256:${fingerprint}`;
}

/** A page to print and put up, with which people can check the authority before they trust it. Complete in itself. */
export function fingerprintSheet({ name, fingerprint, until }: Shown): string {
  const half = fingerprint.length / 2;
  const lines = [fingerprint.slice(0, half), fingerprint.slice(half)].map((line) => line.replace(/^:|:$/g, ''));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(name)}</title>
<style>
  body { font: 16pt system-ui, sans-serif; text-align: center; margin: 15mm; }
  svg { width: 80mm; height: 80mm; }
  code { font-size: 13pt; }
</style>
<h1>${escaped(name)}</h1>
${renderSVG(codeText(fingerprint))}
<p>Fingerprint (SHA-256):</p>
<p><code>${lines.join('<br>')}</code></p>
<p>Trust this authority only if your phone or browser shows the same fingerprint. Valid until ${until}.</p>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
