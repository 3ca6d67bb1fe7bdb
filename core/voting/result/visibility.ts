import { isUnpublished, type Poll } from '../poll/poll.ts';
import type { Option } from '../rules/option.ts';
import type { Visibility } from '../rules/settings.ts';
import type { HiddenResult, Result } from './result.ts';

/** Who views a result: an operator, a voter whose ballot counts in the round, or the public. */
export type Audience = 'operator' | 'voter' | 'public';

/**
 * The part of a result that an audience may see. The same rules apply to the API, streams, retained results and timelines: a
 * poll that has never been open shows only that it exists, except to operators; a secret poll shows no figures before it is
 * final; otherwise, the poll’s visibility decides, and the presenter may hide even what it shows.
 */
export function visibleResult(result: Result, poll: Poll, audience: Audience): Result {
  const { visibility, secrecy, options } = poll.definition;
  if (isUnpublished(poll) && audience !== 'operator') return { ...withoutFigures(result, []), title: '' };
  if (secrecy === 'secret' && !result.final) {
    const turnout = withoutFigures(result, options);
    return audience === 'operator' || visibility !== 'operator' ? turnout : withoutTurnout(turnout);
  }
  if (audience === 'operator') return result;
  if (showsFigures(visibility, audience, result.final)) {
    return poll.curtain ? { ...withoutFigures(result, options), curtain: poll.curtain } : result;
  }
  const turnout = withoutFigures(result, options);
  return visibility === 'operator' ? withoutTurnout(turnout) : turnout;
}

/** Whether everybody sees the figures of a poll right now. Not for secret polls that are not final, which show none. */
export function publicSees(
  { visibility, curtain }: { readonly visibility: Visibility; readonly curtain?: true | undefined },
  isFinal: boolean,
): boolean {
  return !curtain && showsFigures(visibility, 'public', isFinal);
}

/** What everybody may see of a round: its figures, only the turnout, or nothing that votes change. */
export type PublicPart = 'figures' | 'turnout' | 'nothing';

/** What everybody may see of a poll’s round right now, by the rules of `visibleResult`. */
export function publicPart(poll: Poll, isFinal: boolean): PublicPart {
  const { visibility, secrecy } = poll.definition;
  if (isUnpublished(poll) || visibility === 'operator') return 'nothing';
  const isHeld = secrecy === 'secret' && !isFinal;
  return !isHeld && publicSees({ visibility, curtain: poll.curtain }, isFinal) ? 'figures' : 'turnout';
}

/** Whether a visibility shows figures to voters or the public. */
function showsFigures(visibility: Visibility, audience: 'voter' | 'public', isFinal: boolean): boolean {
  switch (visibility) {
    case 'live':
      return true;
    case 'voted':
      return audience === 'voter' || isFinal;
    case 'closed':
      return isFinal;
    case 'turnout':
    case 'operator':
      return false;
  }
}

function withoutFigures(result: Result, visible: readonly Option[]): HiddenResult {
  const { poll, title, kind, round, status, final, ballots, votes, rejected, accounting, turnout } = result;
  const { closingAt, at, interruptions, recount, missing } = result;
  const options = visible.map(({ key, label }) => ({ key, label, count: null, share: null }));
  const known = { poll, title, kind, round, status, final, ballots, votes, rejected, accounting, turnout };
  const events = {
    ...(interruptions ? { interruptions } : {}),
    ...(recount ? { recount } : {}),
    ...(missing ? { missing } : {}),
  };
  return { ...known, options, closingAt, at, ...events, hidden: true };
}

/** What is left must stay the same whoever votes: an equal result makes no frame, no message and no other entity tag. */
function withoutTurnout(result: HiddenResult): HiddenResult {
  return { ...result, ballots: null, votes: null, rejected: null, accounting: null, turnout: null, at: null };
}
