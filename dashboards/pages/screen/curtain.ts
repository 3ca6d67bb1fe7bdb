import { useEffect, useRef, useState } from 'preact/hooks';
import type { Result } from '../../../core/voting/result/result.ts';
import { BASE } from '../base.ts';
import { KEY } from './key.ts';

export interface Curtain {
  readonly isHidden: boolean;
  /** True if figures are hidden on this screen only, and phones still show what the poll allows. */
  readonly isOnlyHere: boolean;
  /** Hides the figures, or shows them again. Returns true, as key bindings do. */
  readonly toggle: () => true;
}

/**
 * Hides figures on this screen at once, and with the screen’s key also on phones and other screens. What is hidden stays hidden
 * when the room moves on to its next poll.
 */
export function useCurtain(result: Result | undefined): Curtain {
  const [isDrawn, draw] = useState(() => new URLSearchParams(location.search).has('hide'));
  /** Whether the server accepted this screen’s last request; undefined before the first one. */
  const [isObeyed, setObeyed] = useState<boolean>();
  const poll = result?.poll;
  const isCovered = result?.hidden === true && result.curtain === true;
  const before = useRef({ poll, isCovered });

  const tell = async (step: 'hide' | 'show') => {
    if (poll === undefined) return;
    const address = `${BASE}/api/polls/${encodeURIComponent(poll)}/${step}`;
    const answer = await fetch(address, { method: 'POST', headers: { 'x-pollcast-screen': KEY } }).catch(
      () => undefined,
    );
    setObeyed(answer?.ok === true);
  };
  useEffect(() => {
    const { poll: lastPoll, isCovered: wasCovered } = before.current;
    before.current = { poll, isCovered };
    if (poll === undefined) return;
    // A screen without the key cannot lift the curtain, so it does not lower its own; it only follows.
    if (isCovered) draw(isDrawn || KEY !== '');
    else if (poll !== lastPoll && isDrawn) void tell('hide');
    // Shown again by another screen or by an operator.
    else if (poll === lastPoll && wasCovered) draw(false);
  }, [poll, isCovered]);

  const isHidden = isDrawn || isCovered;
  const toggle = (): true => {
    draw(!isHidden);
    void tell(isHidden ? 'show' : 'hide');
    return true;
  };
  return { isHidden, isOnlyHere: isHidden && !isCovered && isObeyed === false, toggle };
}
