import { useEffect, useState } from 'preact/hooks';
import { say } from '../words/language.ts';

/** The countdown is shown as urgent when this many seconds or fewer are left. */
const URGENT_SECONDS = 10;

/** The time left, by the server's clock. @param skewMs how many ms the server's clock is ahead of this device's clock */
export function Countdown({ until, skewMs = 0 }: { until: string; skewMs?: number }) {
  const left = () => Math.max(0, Math.ceil((Date.parse(until) - Date.now() - skewMs) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 250);
    return () => clearInterval(timer);
  }, [until, skewMs]);
  const text = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part, i) => (i === 0 && part === 0 ? '' : String(part).padStart(i === 0 ? 1 : 2, '0')))
    .filter((part) => part !== '')
    .join(':');
  return (
    <span class="countdown" role="timer" data-urgent={seconds <= URGENT_SECONDS || undefined}>
      <span class="unseen">{say('countdown')} </span>
      {text}
    </span>
  );
}
