import { useState } from 'preact/hooks';
import type { PollAnswer } from '../../../../../client/answers.ts';
import { publicSees } from '../../../../../core/voting/result/visibility.ts';
import { allowedVisibilities, VISIBILITIES, type Visibility } from '../../../../../core/voting/rules/settings.ts';
import { useAttempt, useDesk } from '../../context.ts';
import { tell } from '../../words.ts';

/** The visibilities from the one that shows least to the one that shows most. */
const BY_OPENNESS: readonly Visibility[] = ['operator', 'turnout', 'closed', 'voted', 'live'];

interface AudienceProps {
  readonly poll: PollAnswer;
  readonly isFinal: boolean;
  readonly onDone: () => Promise<void>;
}

/**
 * Who sees the figures now, and the buttons that change it. Hiding takes effect at once; whatever shows more than before has to
 * be confirmed.
 */
export function AudiencePanel({ poll, isFinal, onDone }: AudienceProps) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [wanted, want] = useState<Visibility>();
  const { poll: id, title, visibility, curtain, round } = poll;
  const act = async (...work: (() => Promise<unknown>)[]) => {
    for (const one of work) if (!(await attempt(one))) break;
    await onDone();
  };
  const isShown = publicSees(poll, isFinal);
  // While the curtain is down, what lies behind it is what the poll would show.
  const wouldShow = publicSees({ visibility }, isFinal) || visibility === 'voted';

  const reveal = () => {
    if (!confirm(tell(isFinal ? 'audience.revealFinal' : 'audience.revealLive', { title }))) return;
    const isWithheld = isFinal && !publicSees({ visibility }, true);
    void act(
      ...(isWithheld ? [() => api.changePoll(id, { visibility: 'closed' satisfies Visibility })] : []),
      ...(curtain ? [() => api.step(id, 'show')] : []),
    );
  };
  const apply = () => {
    if (wanted === undefined) return;
    const showsMore = BY_OPENNESS.indexOf(wanted) > BY_OPENNESS.indexOf(visibility);
    const who = tell(`value.visibility.${wanted}`);
    if (round > 0 && showsMore && !confirm(tell('audience.applySure', { title, who }))) return;
    void act(() => api.changePoll(id, { visibility: wanted }));
    want(undefined);
  };
  const chosen = wanted ?? visibility;
  const allowed = allowedVisibilities(poll);
  return (
    <section class="panel stack">
      {round > 0 && (
        <>
          <p role="status">{tell(sentence(poll, isFinal, isShown))}</p>
          <div class="actions">
            {(curtain || (isFinal && !isShown)) && (
              <button type="button" class="send" onClick={reveal}>
                {tell('audience.reveal')}
              </button>
            )}
            {!curtain && wouldShow && (
              <button type="button" class="quiet" onClick={() => void act(() => api.step(id, 'hide'))}>
                {tell('audience.hide')}
              </button>
            )}
          </div>
        </>
      )}
      <form
        class="apply"
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <label>
          {tell('field.visibility')}
          <select
            name="visibility"
            value={chosen}
            onChange={({ currentTarget: { value } }) => want(value as Visibility)}
          >
            {VISIBILITIES.filter((one) => allowed.includes(one)).map((one) => (
              <option key={one} value={one}>
                {tell(`value.visibility.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="quiet" disabled={chosen === visibility}>
          {tell('audience.apply')}
        </button>
      </form>
    </section>
  );
}

function sentence({ curtain, secrecy, visibility }: PollAnswer, isFinal: boolean, isShown: boolean) {
  if (secrecy === 'secret' && !isFinal) return 'audience.nobody';
  if (curtain) return 'audience.curtain';
  if (isShown) return 'audience.shown';
  return visibility === 'voted' ? 'audience.voters' : 'audience.operators';
}
