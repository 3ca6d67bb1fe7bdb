import { useEffect, useRef, useState } from 'preact/hooks';
import { thresholdsIn } from '../../../core/voting/result/percent.ts';
import type { Result } from '../../../core/voting/result/result.ts';
import { outcomeNotes } from '../charts/outcome/final-outcome.tsx';
import { statusOf, statusText } from '../poll/status.tsx';
import { formatShare, say, sayCount } from '../words/language.ts';

/** The interval in ms at which figures are announced, because speech cannot keep up with a live chart. */
const READ_EVERY_MS = 15_000;

/** Announces a result to screen readers: changes of status immediately, figures only at intervals. */
export function Narrator({ result, isHidden }: { result: Result | undefined; isHidden: boolean }) {
  const [text, setText] = useState('');
  const newest = useRef(result);
  newest.current = result;
  const hidden = useRef(isHidden);
  hidden.current = isHidden;
  const status = result && statusOf(result, !result.hidden && !isHidden);
  const read = () => {
    const now = newest.current;
    if (!now) return;
    const parts = [now.title, statusText(statusOf(now, !now.hidden && !hidden.current))];
    if (now.ballots !== null) parts.push(sayCount('ballots', now.ballots));
    if (!now.hidden && !hidden.current) {
      const best = [...now.options].sort((a, b) => (b.count ?? 0) - (a.count ?? 0)).slice(0, 3);
      for (const { label, share } of best) if (share) parts.push(`${label}: ${formatShare(share, thresholdsIn(now))}`);
      parts.push(...outcomeNotes(now).map((note) => note.replace(/\.$/, '')));
    }
    setText(`${parts.join('. ')}.`);
  };
  // A lot that is entered after the close is announced too.
  const decisions = result && outcomeNotes(result).join(' ');
  useEffect(read, [result?.poll, status, decisions]);
  useEffect(() => {
    if (status !== 'open') return;
    const timer = setInterval(read, READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [status]);
  return (
    <p class="unseen" role="status" aria-label={say('announcer')}>
      {text}
    </p>
  );
}
