/** What stands between the lines of dashes [RFC 7468]. */
type Label = 'CERTIFICATE' | 'X509 CRL';

/** DER as PEM. */
export function toPem(label: Label, der: ArrayBuffer | Buffer): string {
  const lines = (Buffer.isBuffer(der) ? der : Buffer.from(der)).toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The DER of every block with the label in a text; other blocks are skipped. */
export function fromPem(label: Label, text: string): Buffer[] {
  const blocks = text.matchAll(new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, 'g'));
  return [...blocks].map(([, content = '']) => Buffer.from(content, 'base64'));
}
