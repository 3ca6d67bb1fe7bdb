import { readFileSync } from 'node:fs';

const { version: text } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The version of Pollcast, from package.json. */
export const version = text;
