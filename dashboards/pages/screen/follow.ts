import { useEffect, useRef, useState } from 'preact/hooks';
import { followPoll, followRoom, type Line } from '../../../client/stream.ts';
import type { Definition } from '../../../core/voting/kinds/definition.ts';
import type { Result } from '../../../core/voting/result/result.ts';
import { BASE } from '../base.ts';
import { skewOf } from '../clock/skew.ts';

/** What a screen shows: one poll, or the current poll of a room. */
export type Target = { readonly poll: string } | { readonly room: string };

export interface Followed {
  readonly result: Result | undefined;
  /** The public part of the poll’s definition. */
  readonly definition: Partial<Definition>;
  /** How many ms the server's clock is ahead of this device's clock. */
  readonly skewMs: number;
  readonly line: Line | 'connecting';
  /** The HTTP status with which the server refused the stream. */
  readonly refused: number | undefined;
}

/** The latest result of a target. Changes within one frame are rendered together. */
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
        const changes = waiting.current;
        waiting.current = {};
        setShown((before) => ({ ...before, ...changes }));
      });
    };
    let requested = '';
    let current: string | null | undefined;
    const learn = async (result: Result) => {
      // Once published, a definition does not change within a round.
      const key = `${result.poll}/${result.round}/${result.title === ''}`;
      if (requested === key) return;
      requested = key;
      const response = await fetch(`${BASE}/api/polls/${encodeURIComponent(result.poll)}`).catch(() => undefined);
      if (response?.ok && requested === key)
        change({ definition: await response.json(), skewMs: skewOf(response) ?? 0 });
      else if (requested === key) requested = '';
    };
    const listener = {
      onResult: (result: Result) => {
        change({ result });
        void learn(result);
      },
      onLine: (line: Line, refused?: number) => change({ line, refused }),
      onRoom: (poll: string | null) => {
        // After each reconnect, the server names the room’s poll again.
        if (poll === current) return;
        current = poll;
        requested = '';
        change({ result: undefined, definition: {} });
      },
    };
    const stop =
      'room' in target
        ? followRoom(target.room, listener, { base: BASE })
        : followPoll(target.poll, listener, { base: BASE });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, []);
  return shown;
}
