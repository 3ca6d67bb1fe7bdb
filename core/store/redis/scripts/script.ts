import { readFileSync } from 'node:fs';

type Value = string | number;

/** A script with its keys and arguments, as `eval` takes them. */
export type Call = [script: string, keyCount: number, ...keysAndArguments: Value[]];

/**
 * A Lua script in this folder. Its lines `local … = KEYS[1]`, `= unpack(KEYS)` and `= unpack(ARGV)` name its keys and
 * arguments, which callers pass by these names in camel case. The text is sent with every call (`EVAL`), so there is nothing to
 * load or version, and nothing is lost when the server flushes its scripts.
 *
 * @param name the file name without its extension
 * @returns a function that builds a call; further keys and arguments are appended unchanged
 */
export function script<Keys extends string, Arguments extends string>(name: string) {
  // Strip comments, because the text is sent with every call.
  const text = readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8').replace(/^\s*--.*\n/gm, '');
  const keyNames = namesIn(text, 'KEYS');
  const argumentNames = namesIn(text, 'ARGV');
  return (
    keys: Readonly<Record<Keys, string>>,
    args: Readonly<Record<Arguments, Value>>,
    moreKeys: readonly string[] = [],
    moreArguments: readonly Value[] = [],
  ): Call => {
    const allKeys = [...valuesOf<string>(name, keyNames, keys), ...moreKeys];
    return [text, allKeys.length, ...allKeys, ...valuesOf<Value>(name, argumentNames, args), ...moreArguments];
  };
}

function namesIn(text: string, source: 'KEYS' | 'ARGV'): string[] {
  const [, names = ''] = new RegExp(`^local (.+) = (?:unpack\\(${source}\\)|${source}\\[1\\])$`, 'm').exec(text) ?? [];
  return names
    .split(', ')
    .filter((name) => name !== '')
    .map((name) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
}

function valuesOf<T>(script: string, names: readonly string[], values: Readonly<Record<string, T>>): T[] {
  return names.map((name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`script ${script}: ${name} is missing`);
    return value;
  });
}
