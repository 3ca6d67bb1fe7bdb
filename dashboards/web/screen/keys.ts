import { useLayoutEffect } from 'preact/hooks';

/** What a key does; false: nothing now, so that it may scroll. */
export type Keys = Readonly<Record<string, () => boolean>>;

/** Obeys the keyboard, but for what a field, a table or a button that has the focus does with it. */
export function useKeys(keys: Keys): void {
  // With the drawing and not after it: what is seen obeys at once.
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

/** Turns a state over; true, as a key's doing. */
export function toggle(set: (change: (now: boolean) => boolean) => void): true {
  set((now) => !now);
  return true;
}
