import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { UsageError } from '../flags.ts';

/** The maximum size of a poll file, in bytes. */
const MAX_FILE_BYTES = 2 * 1024 * 1024;

/**
 * Reads polls from a YAML or JSON file: a single poll, or a list named `polls` with shared `defaults`. The settings of the
 * polls are not checked here, but by the API. @throws UsageError with the file name, and the line of a syntax error
 */
export async function readTemplate(file: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new UsageError(`${file}: cannot be read (${error.message})`);
  });
  if (text.length > MAX_FILE_BYTES) throw new UsageError(`${file}: larger than ${MAX_FILE_BYTES} bytes`);
  const document = parseDocument(text, { uniqueKeys: true });
  const [first] = document.errors;
  if (first) throw new UsageError(`${file}: ${first.message}`);
  const content: unknown = document.toJS({ maxAliasCount: 100 });
  if (!isRecord(content)) throw new UsageError(`${file}: expected a poll, or a list named polls`);
  if (content.polls === undefined) return [content];
  const { polls, defaults = {}, ...strange } = content;
  const [unknown] = Object.keys(strange);
  if (unknown !== undefined) {
    throw new UsageError(`${file}: ${unknown}: only defaults may be given beside polls; put shared settings there`);
  }
  if (!Array.isArray(polls) || !polls.every(isRecord) || !isRecord(defaults)) {
    throw new UsageError(`${file}: polls must be a list of polls, and defaults an object with their shared settings`);
  }
  return polls.map((poll) => ({ ...defaults, ...poll }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
