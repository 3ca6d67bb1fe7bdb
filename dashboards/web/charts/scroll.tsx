import type { ComponentChildren } from 'preact';

/** A table that may be wider than the screen: it can be scrolled with the keyboard too. */
export function Scroll({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable (WCAG 2.1.1)
    <section class="scroll" aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}
