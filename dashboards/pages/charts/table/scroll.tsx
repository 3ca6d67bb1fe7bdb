import type { ComponentChildren } from 'preact';

/** Makes a table that is wider than the screen scrollable, also with the keyboard. */
export function Scroll({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable content must be focusable (WCAG 2.1.1)
    <section class="scroll" aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}
