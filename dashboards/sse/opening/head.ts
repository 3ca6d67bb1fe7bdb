import { type Form, streamStart } from '../frame.ts';

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

/** The heads of responses to plain requests (see `plainRequest`), by route and form: another route may have other headers. */
export class Heads {
  private readonly heads = new Map<string, Map<Form, Head>>();

  /** @param route as in Fastify */
  get(route: string, form: Form): Head | undefined {
    return this.heads.get(route)?.get(form);
  }

  set(route: string, form: Form, head: Head): void {
    const heads = this.heads.get(route) ?? new Map<Form, Head>();
    this.heads.set(route, heads.set(form, head));
  }
}
