import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { REASONS } from '../../core/voting/rejection.ts';

const FOLDER = fileURLToPath(new URL('../../../dashboards/web/words/', import.meta.url));
const read = (name: string): Record<string, string> => JSON.parse(readFileSync(`${FOLDER}${name}.json`, 'utf8'));
const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

t.test('every language has every text, with the same values in it', (t) => {
  for (const prefix of ['', 'operator.']) {
    const english = read(`${prefix}en`);
    const names = Object.keys(english);
    for (const language of ['de', 'es', 'fr']) {
      const words = read(prefix + language);
      const text = (name: string) => words[name] ?? '';
      t.same(Object.keys(words), names, `${prefix}${language}: the same names, in the same order`);
      const isWrong = (name: string) =>
        placeholders(text(name)).join() !== placeholders(english[name] ?? '').join() ||
        (text(name) === '') !== (english[name] === '');
      t.same(names.filter(isWrong), [], `${prefix}${language}: the same values in each`);
      const same = names.filter((name) => text(name) === english[name]);
      t.ok(same.length < names.length / 10, `${prefix}${language} is translated; the same: ${same}`);
    }
  }
  t.end();
});

t.test('every reason for a rejection has its words', (t) => {
  const english = read('en');
  t.same(
    REASONS.filter((reason) => !english[`reason.${reason}`]),
    [],
  );
  t.end();
});
