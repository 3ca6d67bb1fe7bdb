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

/** A text of the operator's pages; if there is no such text, the last part of its name. */
export function tellIfKnown(name: string): string {
  return Object.hasOwn(en, name) ? sayOwn(name) : (name.split('.').at(-1) ?? name);
}

/** Switches the operator's pages to a language. */
export function useOperatorLanguage(language: Language): Promise<void> {
  return useLanguage(language, async (one) => (one === 'en' ? { default: en } : OTHERS[one]()));
}
