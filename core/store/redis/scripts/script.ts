import { readFileSync } from 'node:fs';

type Value = string | number | Buffer;

/** A script with its keys and arguments, as `eval` takes them. */
export type Call = [script: string, keyCount: number, ...keysAndArguments: Value[]];

/**
 * A Lua script below this folder. Its lines `local a = KEYS[1]` or `local a, b = unpack(ARGV, 1, 2)` name its keys and arguments,
 * which callers pass by these names in camel case. `unpack` needs the range, because Lua cannot unpack the thousands of further
 * arguments that some calls have. The text is sent with every call (`EVAL`), so there is nothing to load or version, and nothing
 * is lost when the server flushes its scripts.
 *
 * @param name the path without its extension
 * @returns a function that builds a call; further keys and arguments are appended unchanged
 */
export function script<Keys extends string, Arguments extends string>(name: string) {
  // Strip comments, because the text is sent with every call.
  const text = readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8').replace(/^\s*--.*\n/gm, '');
  const keyNames = namesIn(name, text, 'KEYS');
  const argumentNames = namesIn(name, text, 'ARGV');
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

/** The names that a script gives to its first keys or arguments. @throws Error if their number differs from the range */
function namesIn(script: string, text: string, source: 'KEYS' | 'ARGV'): string[] {
  const binding = new RegExp(`^local (.+) = (?:unpack\\(${source}, 1, (\\d+)\\)|${source}\\[1\\])$`, 'm');
  const [, names, last = '1'] = binding.exec(text) ?? [];
  if (names === undefined) return [];
  const all = names.split(', ');
  if (all.length !== Number(last)) throw new Error(`script ${script}: ${all.length} names for ${last} ${source}`);
  return all.map((name) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
}

function valuesOf<T>(script: string, names: readonly string[], values: Readonly<Record<string, T>>): T[] {
  if (Object.keys(values).length > names.length) throw new Error(`script ${script}: names only ${names.join(', ')}`);
  return names.map((name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`script ${script}: ${name} is missing`);
    return value;
  });
}
