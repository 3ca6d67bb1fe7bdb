import en from './en.json';

/** Every text of the pages by its name. `{name}` stands for a value; of counted things there is `….one` and `….other`. */
export type Words = { readonly [Key in keyof typeof en]: string };
export type WordName = keyof Words;
/** Names of counted things, without their endings. */
export type CountName = { [Key in WordName]: Key extends `${infer Name}.other` ? Name : never }[WordName];
export type Values = Readonly<Record<string, string | number>>;

/** Languages in their own words, in the order they are offered. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español', fr: 'Français' } as const;
export type Language = keyof typeof LANGUAGES;

const OTHERS: Readonly<Record<Exclude<Language, 'en'>, () => Promise<{ default: Words }>>> = {
  de: () => import('./de.json'),
  es: () => import('./es.json'),
  fr: () => import('./fr.json'),
};
const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur']);
const CHOSEN = 'pollcast-language';

let language: Language = 'en';
let words: Words = en;
/** More words, of a page of its own. */
let extra: Readonly<Record<string, string>> = {};

const isLanguage = (text: string): text is Language => Object.hasOwn(LANGUAGES, text);

/** The language to use: the one in the address (`?lang=de`), the one chosen before, else the browser's. */
export function preferredLanguage(): Language {
  const asked = [new URLSearchParams(location.search).get('lang'), stored(), ...navigator.languages];
  for (const one of asked) {
    const short = one?.slice(0, 2).toLowerCase();
    if (short !== undefined && isLanguage(short)) return short;
  }
  return 'en';
}

/**
 * Uses a language from now on. One that cannot be loaded (no network) leaves the one there is.
 *
 * @param more words of the page itself
 */
export async function useLanguage(
  wanted: Language,
  more?: (language: Language) => Promise<{ default: Readonly<Record<string, string>> }>,
  { isPage = true } = {},
): Promise<void> {
  try {
    const loaded = wanted === 'en' ? en : (await OTHERS[wanted]()).default;
    if (more) extra = (await more(wanted)).default;
    words = loaded;
    language = wanted;
  } catch {
    if (more) extra = (await more('en')).default;
  }
  formats.clear();
  // On a page of somebody else, its language is theirs to tell.
  if (!isPage) return;
  document.documentElement.lang = language;
  document.documentElement.dir = RIGHT_TO_LEFT.has(language) ? 'rtl' : 'ltr';
}

/** Remembers a language for the next time. */
export function chooseLanguage(chosen: Language): void {
  try {
    localStorage.setItem(CHOSEN, chosen);
  } catch {
    // A browser that keeps nothing asks again.
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(CHOSEN);
  } catch {
    return null;
  }
}

/** The language in use. */
export function currentLanguage(): Language {
  return language;
}

/** A text in the language in use. */
export function say(name: WordName, values: Values = {}): string {
  return fill(words[name], values);
}

/** A text that may not be there: of what a server says that is newer than this page. */
export function sayIfKnown(name: string): string | undefined {
  return Object.hasOwn(words, name) ? words[name as WordName] : undefined;
}

/** A text of the page's own words. */
export function sayOwn(name: string, values: Values = {}): string {
  return fill(extra[name] ?? name, values);
}

/** A text about `n` things, with `{n}` as people write it. */
export function sayCount(name: CountName, n: number, values: Values = {}): string {
  const form = new Intl.PluralRules(language).select(n) === 'one' ? 'one' : 'other';
  return fill(words[`${name}.${form}` as WordName], { n: formatNumber(n), ...values });
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (all, name: string) => (name in values ? String(values[name]) : all));
}

const formats = new Map<string, Intl.NumberFormat>();

function format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.NumberFormat(locale(), options)));
  return found;
}

/** A number with at most `digits` digits after the point. */
export function formatNumber(value: number, digits = 0): string {
  return format({ maximumFractionDigits: digits }).format(value);
}

/** A share from 0 to 1, as percent. */
export function formatShare(share: number): string {
  return format({ style: 'percent', maximumFractionDigits: 1, minimumFractionDigits: 1 }).format(share);
}

const TIMES = {
  full: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' },
  time: { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' },
  tick: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
} as const;

/** An instant in this machine's time, with its zone but for the ticks of an axis. */
export function formatTime(instant: string | number, style: keyof typeof TIMES = 'full'): string {
  return new Intl.DateTimeFormat(locale(), TIMES[style]).format(new Date(instant));
}

/** The language with the region that the browser names: it has its own way to write times and numbers. */
function locale(): string {
  return navigator.languages.find((one) => one.slice(0, 2) === language) ?? language;
}

/** Names of several, as the language lists them. */
export function formatList(names: readonly string[]): string {
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(names);
}
