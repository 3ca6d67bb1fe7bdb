import { decimalsOf } from '../../../core/voting/result/percent.ts';
import en from './en.json';

/**
 * The texts of all pages, by name. `{name}` is a placeholder for a value, `{name:ordinal}` for a position (1st, 2nd, …).
 * Texts about a number of things have a `.one` and an `.other` form.
 */
export type Words = { readonly [Key in keyof typeof en]: string };
export type WordName = keyof Words;
/** Names of texts about a number of things, without `.one` and `.other`. */
export type CountName = { [Key in WordName]: Key extends `${infer Name}.other` ? Name : never }[WordName];
export type Values = Readonly<Record<string, string | number>>;

/** What each language calls itself, in the order in which languages are offered. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español', fr: 'Français' } as const;
export type Language = keyof typeof LANGUAGES;

const OTHERS: Readonly<Record<Exclude<Language, 'en'>, () => Promise<{ default: Words }>>> = {
  de: () => import('./de.json'),
  es: () => import('./es.json'),
  fr: () => import('./fr.json'),
};
const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur']);
const STORAGE_KEY = 'pollcast-language';
/** Endings of ordinal numbers, by plural category. Languages without an entry use the plain number. */
const ORDINAL_ENDINGS: Partial<Record<Language, Partial<Record<Intl.LDMLPluralRule, string>>>> = {
  en: { one: 'st', two: 'nd', few: 'rd', other: 'th' },
};

let language: Language = 'en';
let words: Words = en;
/** Texts that only the current page has. */
let extra: Readonly<Record<string, string>> = {};

const isLanguage = (text: string): text is Language => Object.hasOwn(LANGUAGES, text);

/** The language to start with: from the address (`?lang=de`), else the last choice, else the browser's. */
export function preferredLanguage(): Language {
  const candidates = [new URLSearchParams(location.search).get('lang'), stored(), ...navigator.languages];
  for (const candidate of candidates) {
    const short = candidate?.slice(0, 2).toLowerCase();
    if (short !== undefined && isLanguage(short)) return short;
  }
  return 'en';
}

/**
 * Switches to a language. If it cannot be loaded (no network), the current one stays.
 *
 * @param more loads the texts that only the current page has
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
  // On another site, the page’s language attribute is left as it is.
  if (!isPage) return;
  document.documentElement.lang = language;
  document.documentElement.dir = RIGHT_TO_LEFT.has(language) ? 'rtl' : 'ltr';
}

/** Remembers the chosen language for the next visit. */
export function chooseLanguage(chosen: Language): void {
  try {
    localStorage.setItem(STORAGE_KEY, chosen);
  } catch {
    // Without storage, the choice lasts until the page is reloaded.
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

/** The current language. */
export function currentLanguage(): Language {
  return language;
}

/** The text with this name, in the current language. */
export function say(name: WordName, values: Values = {}): string {
  return fill(words[name], values);
}

/** The text with this name, if it exists: a newer server may send values that this page does not know. */
export function sayIfKnown(name: string): string | undefined {
  return Object.hasOwn(words, name) ? words[name as WordName] : undefined;
}

/** A text that only the current page has. */
export function sayOwn(name: string, values: Values = {}): string {
  return fill(extra[name] ?? name, values);
}

/** A text about `n` things. `{n}` is replaced by the formatted number. */
export function sayCount(name: CountName, n: number, values: Values = {}): string {
  const form = new Intl.PluralRules(language).select(n) === 'one' ? 'one' : 'other';
  return fill(words[`${name}.${form}` as WordName], { n: formatNumber(n), ...values });
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)(:ordinal)?\}/g, (all, name: string, isOrdinal?: string) => {
    if (!(name in values)) return all;
    return isOrdinal ? formatOrdinal(Number(values[name])) : String(values[name]);
  });
}

function formatOrdinal(n: number): string {
  const form = new Intl.PluralRules(language, { type: 'ordinal' }).select(n);
  return `${formatNumber(n)}${ORDINAL_ENDINGS[language]?.[form] ?? ''}`;
}

const formats = new Map<string, Intl.NumberFormat>();

function format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.NumberFormat(locale(), options)));
  return found;
}

/** A number with at most `digits` decimal places. */
export function formatNumber(value: number, digits = 0): string {
  return format({ maximumFractionDigits: digits }).format(value);
}

/** A share from 0 to 1, as a percentage. @param thresholds shares shown next to it, which rounding must not cross */
export function formatShare(share: number, thresholds: readonly number[] = []): string {
  const digits = decimalsOf(share, thresholds);
  return format({ style: 'percent', maximumFractionDigits: digits, minimumFractionDigits: digits }).format(share);
}

const TIMES = {
  full: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' },
  time: { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' },
  tick: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
} as const;

/** An instant in local time. The time zone is included, except on axis ticks. */
export function formatTime(instant: string | number, style: keyof typeof TIMES = 'full'): string {
  return new Intl.DateTimeFormat(locale(), TIMES[style]).format(new Date(instant));
}

/** The browser's regional variant of the language: numbers and times are written differently in each region. */
function locale(): string {
  return navigator.languages.find((one) => one.slice(0, 2) === language) ?? language;
}

/** Several names as a list in the current language: “A, B and C”. */
export function formatList(names: readonly string[]): string {
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(names);
}
