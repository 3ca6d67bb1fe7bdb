import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Writes a response to a file, or to standard output. */
export async function save(response: Response, output: string | undefined): Promise<void> {
  const source = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  if (output === undefined) await pipeline(source, process.stdout, { end: false });
  else await pipeline(source, createWriteStream(output));
  if (output !== undefined) process.stderr.write(`  written to ${output}\n`);
}
