import { isUnasked, type Option, type Poll } from './poll.ts';
import type { Result } from './result.ts';

/** Who is looking: an operator, somebody whose ballot counts in the round, or anybody. */
export type Audience = 'operator' | 'voter' | 'public';

/**
 * The part of a result that an audience may see. One rule for API, streams, retained results and timelines alike: of a
 * draft that there is one, of a secret poll no figures before it is final, of others as their visibility says.
 */
export function visibleResult(result: Result, poll: Poll, audience: Audience): Result {
  const { visibility, secrecy, options } = poll.definition;
  if (isUnasked(poll) && audience !== 'operator') return { ...withoutFigures(result, []), title: '' };
  if (secrecy === 'secret' && !result.final) {
    const turnout = withoutFigures(result, options);
    return audience === 'operator' || visibility !== 'operator' ? turnout : withoutTurnout(turnout);
  }
  if (audience === 'operator') return result;
  switch (visibility) {
    case 'live':
      return result;
    case 'voted':
      return audience === 'voter' || result.final ? result : withoutFigures(result, options);
    case 'closed':
      return result.final ? result : withoutFigures(result, options);
    case 'turnout':
      return withoutFigures(result, options);
    case 'operator':
      return withoutTurnout(withoutFigures(result, options));
  }
}

function withoutFigures(result: Result, visible: readonly Option[]): Result {
  const {
    poll,
    title,
    kind,
    round,
    status,
    final,
    ballots,
    votes,
    rejected,
    accounting,
    turnout,
    closingAt,
    at,
    recount,
  } = result;
  const options = visible.map(({ key, label }) => ({ key, label, count: null, share: null }));
  const known = { poll, title, kind, round, status, final, ballots, votes, rejected, accounting, turnout };
  return { ...known, options, closingAt, at, ...(recount ? { recount } : {}), hidden: true };
}

function withoutTurnout(result: Result): Result {
  return { ...result, ballots: null, votes: null, rejected: null, accounting: null, turnout: null };
}
