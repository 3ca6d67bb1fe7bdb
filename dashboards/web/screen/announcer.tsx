import { useEffect, useRef, useState } from 'preact/hooks';
import type { Result } from '../../../core/voting/result.ts';
import { figuresOf } from '../charts/figures.ts';
import { formatShare, say, sayCount, sayIfKnown } from '../words/language.ts';

/** Figures are read out no more often than this, ms: a voice cannot follow a chart. */
const READ_EVERY_MS = 15_000;

/** Tells screen readers what happens, without chatter: a change of status at once, figures now and then. */
export function Announcer({ result, isHidden }: { result: Result | undefined; isHidden: boolean }) {
  const [text, setText] = useState('');
  const newest = useRef(result);
  newest.current = result;
  const hidden = useRef(isHidden);
  hidden.current = isHidden;
  const status = result ? (result.final ? 'final' : result.status) : undefined;
  const tell = () => {
    const now = newest.current;
    if (!now) return;
    const told = [now.title, sayIfKnown(`status.${now.final ? 'final' : now.status}`) ?? now.status];
    if (now.ballots !== null) told.push(sayCount('ballots', now.ballots));
    if (!now.hidden && !hidden.current) {
      const best = [...figuresOf(now).options].sort((a, b) => (b.count ?? 0) - (a.count ?? 0)).slice(0, 3);
      for (const { label, share } of best) if (share) told.push(`${label}: ${formatShare(share)}`);
    }
    setText(`${told.join('. ')}.`);
  };
  useEffect(tell, [result?.poll, status]);
  useEffect(() => {
    if (status !== 'open') return;
    const timer = setInterval(tell, READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [status]);
  return (
    <p class="unseen" role="status" aria-label={say('announcer')}>
      {text}
    </p>
  );
}
