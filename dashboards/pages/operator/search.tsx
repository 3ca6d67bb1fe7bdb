import { tell } from './words.ts';

/** A search field for a list. */
export function Search({ sought, onSeek }: { sought: string; onSeek: (sought: string) => void }) {
  return (
    <label class="search">
      <span class="unseen">{tell('search')}</span>
      <input
        type="search"
        placeholder={tell('search')}
        value={sought}
        onInput={({ currentTarget: { value } }) => onSeek(value)}
      />
    </label>
  );
}

/** Whether every search word occurs in the texts. */
export function isFound(sought: string, ...texts: readonly (string | null | undefined)[]): boolean {
  const all = texts.join(' ').toLowerCase();
  return sought
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
