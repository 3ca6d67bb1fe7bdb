import { type Form, streamStart } from './frame.ts';

/** The head of the responses that begin streams of one form. */
export class Head {
  private readonly text: string;
  private readonly form: Form;
  private second = 0;
  private bytes: Buffer | undefined;

  /** @param text all lines except for `date` and the empty one */
  constructor(text: string, form: Form) {
    this.text = text;
    this.form = form;
  }

  /** Everything that comes before the first frame. It changes once a second, as the date does. */
  opening(): Buffer {
    const second = Math.floor(Date.now() / 1_000);
    if (this.bytes && second === this.second) return this.bytes;
    const date = `date: ${new Date(second * 1_000).toUTCString()}\r\n\r\n`;
    this.second = second;
    this.bytes = Buffer.concat([Buffer.from(this.text + date, 'latin1'), streamStart(this.form)]);
    return this.bytes;
  }
}
