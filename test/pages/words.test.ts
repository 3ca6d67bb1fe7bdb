import { readFileSync } from 'node:fs';
import t from 'tap';
import { kinds } from '../../core/voting/kinds/index.ts';
import { REASONS } from '../../core/voting/rules/rejection.ts';
import { pathInCheckout } from '../support/root.ts';

const FOLDER = pathInCheckout('dashboards/pages/words/');
const read = (name: string): Record<string, string> => JSON.parse(readFileSync(`${FOLDER}${name}.json`, 'utf8'));
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)(?::ordinal)?\}/g)].map(([, name]) => name).sort();

t.test('every language has every text, with the same placeholders', (t) => {
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
      t.same(names.filter(isWrong), [], `${prefix}${language}: the same placeholders in each text`);
      const same = names.filter((name) => text(name) === english[name]);
      t.ok(same.length < names.length / 10, `${prefix}${language} is translated; identical texts: ${same}`);
    }
  }
  t.end();
});

t.test('every rejection reason has a text', (t) => {
  const english = read('en');
  t.same(
    REASONS.filter((reason) => !english[`reason.${reason}`]),
    [],
  );
  t.end();
});

t.test('the editor has a label for every setting of a kind, and for each of its values', (t) => {
  const english = read('operator.en');
  for (const { settings } of Object.values(kinds)) {
    for (const [name, schema] of Object.entries(settings.properties)) {
      const { type, enum: values = [] } = schema as { readonly type?: string; readonly enum?: readonly string[] };
      // Settings that are objects are not edited in these fields.
      if (type !== 'object') t.ok(english[`field.${name}`], `field.${name}`);
      for (const value of values) t.ok(english[`value.${name}.${value}`], `value.${name}.${value}`);
    }
  }
  t.end();
});
