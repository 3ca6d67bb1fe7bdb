import { useEffect, useRef, useState } from 'preact/hooks';
import type { Definition } from '../../../core/voting/poll.ts';
import type { Result } from '../../../core/voting/result.ts';
import { followPoll, followRoom, type Line } from '../../stream/stream.ts';

/** What a screen shows: a poll, or whatever is asked in a room. */
export type Target = { readonly poll: string } | { readonly room: string };

export interface Followed {
  readonly result: Result | undefined;
  /** The question with its settings, as everybody may know it. */
  readonly definition: Partial<Definition>;
  /** How far the server's clock is ahead of this one, ms. */
  readonly skewMs: number;
  readonly line: Line | 'connecting';
  /** The status of the answer that refused the stream. */
  readonly refused: number | undefined;
}

/** A clock that differs by no more than this is taken to be right, ms: the header tells whole seconds. */
const SKEW_MS = 2_000;

/** How far the clock of whoever answered is ahead of this one, ms. */
function skewOf(response: Response): number {
  const skewMs = Date.parse(response.headers.get('date') ?? '') + 500 - Date.now();
  return Math.abs(skewMs) > SKEW_MS ? skewMs : 0;
}

/** The newest result of a target. Several changes within one screen refresh are one drawing. */
export function useTarget(target: Target): Followed {
  const [shown, setShown] = useState<Followed>({
    result: undefined,
    definition: {},
    skewMs: 0,
    line: 'connecting',
    refused: undefined,
  });
  const waiting = useRef<Partial<Followed>>({});
  useEffect(() => {
    let frame = 0;
    const change = (what: Partial<Followed>) => {
      waiting.current = { ...waiting.current, ...what };
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        const news = waiting.current;
        waiting.current = {};
        setShown((before) => ({ ...before, ...news }));
      });
    };
    let asked = '';
    let current: string | null | undefined;
    const learn = async (result: Result) => {
      // What was asked is the same for a whole round.
      const key = `${result.poll}/${result.round}/${result.title === ''}`;
      if (asked === key) return;
      asked = key;
      const response = await fetch(`/api/polls/${encodeURIComponent(result.poll)}`).catch(() => undefined);
      if (response?.ok && asked === key) change({ definition: await response.json(), skewMs: skewOf(response) });
      else if (asked === key) asked = '';
    };
    const listener = {
      onResult: (result: Result) => {
        change({ result });
        void learn(result);
      },
      onLine: (line: Line, refused?: number) => change({ line, refused }),
      onRoom: (poll: string | null) => {
        // Each time the line comes back the room is named again.
        if (poll === current) return;
        current = poll;
        asked = '';
        change({ result: undefined, definition: {} });
      },
    };
    const stop = 'room' in target ? followRoom(target.room, listener) : followPoll(target.poll, listener);
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, []);
  return shown;
}
