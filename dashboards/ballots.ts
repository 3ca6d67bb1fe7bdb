import type { Store } from '../core/store/store.ts';

/** A byte order mark: without it, spreadsheets take UTF-8 for something older. */
const BOM = '\ufeff';

/** Every ballot of a round as CSV [RFC 4180], partition by partition. */
export async function* ballotLines(store: Store, poll: string, round: number): AsyncGenerator<string> {
  yield `${BOM}device,choice,n,at\r\n`;
  for (let partition = 0; partition < store.log.partitions; partition++) {
    for await (const [device, { choice, n, atMs }] of store.counts.scanBallots(partition, poll, round)) {
      yield `${[cell(device), cell(choice), n ?? '', new Date(atMs).toISOString()].join(',')}\r\n`;
    }
  }
}

/** Quotes a text; one that a spreadsheet would take for a formula gets an apostrophe before it. */
function cell(text: string): string {
  const isNumber = /^-?\d+$/.test(text);
  const safe = /^[=+\-@\t\r]/.test(text) && !isNumber ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
