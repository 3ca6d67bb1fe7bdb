// @ts-check

/** Reconnecting after the server refused, ms: doubles from the first to the second. */
const RETRY_MS = { first: 1_000, most: 15_000 };

/**
 * Follows a poll's result stream for ever. The browser reconnects by itself when a line breaks; when the server
 * answers with an error it gives up, and then this opens a new stream.
 *
 * @param {string} poll
 * @param {{ onResult: (result: any) => void, onLine: (isUp: boolean) => void }} listener
 *   `onResult` gets the whole result each time, changes already put in; `onLine` tells whether the stream is up
 */
export function followPoll(poll, { onResult, onLine }) {
  let retryMs = RETRY_MS.first;
  /** @type {any} */
  let result;

  open();

  function open() {
    const source = new EventSource(`/api/polls/${encodeURIComponent(poll)}/stream`);
    source.addEventListener('open', () => {
      retryMs = RETRY_MS.first;
      onLine(true);
    });
    source.addEventListener('result', (event) => show(JSON.parse(event.data)));
    source.addEventListener('final', (event) => show(JSON.parse(event.data)));
    source.addEventListener('change', (event) => {
      if (result) show(withChange(result, JSON.parse(event.data)));
    });
    source.addEventListener('error', () => {
      onLine(false);
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, RETRY_MS.most);
    });
  }

  /** @param {any} next */
  function show(next) {
    result = next;
    onResult(next);
  }
}

/**
 * The result after a change: its fields replaced, and of the options those that the change names.
 * @param {any} result
 * @param {any} change
 */
export function withChange(result, change) {
  const changed = new Map((change.options ?? []).map((/** @type {any} */ option) => [option.key, option]));
  const options = result.options.map((/** @type {any} */ option) => changed.get(option.key) ?? option);
  return { ...result, ...change, options };
}
