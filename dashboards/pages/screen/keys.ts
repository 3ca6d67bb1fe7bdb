import { useLayoutEffect } from 'preact/hooks';

/** The action of each key. An action returns false if its key does nothing right now, so that the browser may scroll. */
export type KeyBindings = Readonly<Record<string, () => boolean>>;

/** Handles keyboard shortcuts, except for keys that the focused field, table or button needs. */
export function useKeys(keys: KeyBindings): void {
  // A layout effect, so that keys work as soon as the page is visible.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { key, target } = event;
      if (
        target instanceof HTMLElement &&
        target.closest(key === ' ' ? 'select, input, .scroll, button' : 'select, input, .scroll')
      )
        return;
      if (keys[key.length === 1 ? key.toLowerCase() : key]?.()) event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
}

/** Toggles a state. Returns true, as key bindings do. */
export function toggle(set: (change: (now: boolean) => boolean) => void): true {
  set((now) => !now);
  return true;
}
