import { createHash } from 'node:crypto';
import { isUnpublished, type Poll } from '../voting/poll/poll.ts';
import type { OpenResult, Result } from '../voting/result/result.ts';
import { type Audience, visibleResult } from '../voting/result/visibility.ts';

/** A result as one audience sees it, encoded once for all who ask. */
export class View {
  readonly result: Result;
  private text: string | undefined;
  private tag: string | undefined;

  constructor(result: Result) {
    this.result = result;
  }

  /** The result as JSON. */
  get json(): string {
    this.text ??= JSON.stringify(this.result);
    return this.text;
  }

  /** A strong entity tag [RFC 9110, 8.8.3]: equal if and only if the JSON is. */
  get etag(): string {
    this.tag ??= etagOf(this.json);
    return this.tag;
  }
}

/** The entity tag of an answer’s text. */
export function etagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
}

/** What a view depends on besides the result. */
interface Seen {
  readonly definition: Poll['definition'];
  readonly curtain: Poll['curtain'];
  readonly isUnpublished: boolean;
  readonly view: View;
}

/** The views of results by audience, kept as long as the results are. */
export class Views {
  private readonly seen = new WeakMap<OpenResult, Map<Audience, Seen>>();

  of(result: OpenResult, poll: Poll, audience: Audience): View {
    const byAudience = this.seen.get(result) ?? new Map<Audience, Seen>();
    this.seen.set(result, byAudience);
    const known = byAudience.get(audience);
    const { definition, curtain } = poll;
    const isNew = isUnpublished(poll);
    // By identity: a changed poll, also one with another visibility or moderation, is read as a new object.
    if (known?.definition === definition && known.curtain === curtain && known.isUnpublished === isNew) {
      return known.view;
    }
    const view = new View(visibleResult(result, poll, audience));
    byAudience.set(audience, { definition, curtain, isUnpublished: isNew, view });
    return view;
  }
}
