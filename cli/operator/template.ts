import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { ClientError } from './client.ts';

/** The largest file of polls, bytes. */
const MAX_FILE_BYTES = 2 * 1024 * 1024;

/**
 * Reads polls from a YAML or JSON file: one poll, or `polls`, a list of them, with `defaults` that all of them share. What
 * is in a poll is for the API to check. @throws ClientError naming file and line
 */
export async function readTemplate(file: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new ClientError(`${file}: cannot be read (${error.message})`);
  });
  if (text.length > MAX_FILE_BYTES) throw new ClientError(`${file}: larger than ${MAX_FILE_BYTES} bytes`);
  const document = parseDocument(text, { uniqueKeys: true });
  const [first] = document.errors;
  if (first) throw new ClientError(`${file}: ${first.message}`);
  const content: unknown = document.toJS({ maxAliasCount: 100 });
  if (!isRecord(content)) throw new ClientError(`${file}: expected a poll, or polls: a list of them`);
  if (content.polls === undefined) return [content];
  const { polls, defaults = {}, ...strange } = content;
  const [unknown] = Object.keys(strange);
  if (unknown !== undefined) {
    throw new ClientError(`${file}: ${unknown}: beside polls there is only defaults; what all share goes there`);
  }
  if (!Array.isArray(polls) || !polls.every(isRecord) || !isRecord(defaults)) {
    throw new ClientError(`${file}: polls must be a list of polls, defaults what they share`);
  }
  return polls.map((poll) => ({ ...defaults, ...poll }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
