import { type Language, sayOwn, useLanguage, type Values } from '../words/language.ts';
import en from '../words/operator.en.json';

const OTHERS: Readonly<Record<Exclude<Language, 'en'>, () => Promise<{ default: Readonly<Record<string, string>> }>>> =
  {
    de: () => import('../words/operator.de.json'),
    es: () => import('../words/operator.es.json'),
    fr: () => import('../words/operator.fr.json'),
  };

export type OwnName = keyof typeof en;

/** A text of the operator's pages. */
export function tell(name: OwnName, values?: Values): string {
  return sayOwn(name, values);
}

/** A text of the operator's pages that may not be there: then the name's last part. */
export function tellIfKnown(name: string): string {
  return Object.hasOwn(en, name) ? sayOwn(name) : (name.split('.').at(-1) ?? name);
}

/** Uses a language for the operator's pages from now on. */
export function useOperatorLanguage(language: Language): Promise<void> {
  return useLanguage(language, async (one) => (one === 'en' ? { default: en } : OTHERS[one]()));
}
