import type { PollAnswer } from '../../../../../client/answers.ts';
import { formatTime } from '../../../words/language.ts';
import { tell } from '../../words.ts';
import { screenPath } from './screen-path.ts';

interface RoundChoiceProps {
  readonly poll: PollAnswer;
  /** The chosen rounds; empty for the current one. */
  readonly shown: readonly number[];
  readonly onChange: (rounds: readonly number[]) => void;
}

/** Chooses which round is shown, and which one beside it. */
export function RoundChoice({ poll, shown, onChange }: RoundChoiceProps) {
  const [first = poll.round, second] = shown;
  const change = (one: number, other: number | undefined) => {
    const both = other === undefined || other === one ? [one] : [one, other];
    // The current round alone is the default, with which the page moves on to the next round.
    onChange(both.length === 1 && one === poll.round ? [] : both);
  };
  const options = poll.rounds.map(({ round, openedAt }) => (
    <option key={round} value={round}>
      {tell('rounds.one', { n: round, time: openedAt === null ? '–' : formatTime(openedAt) })}
    </option>
  ));
  return (
    <fieldset class="row round-choice">
      <legend class="unseen">{tell('rounds')}</legend>
      <label>
        {tell('rounds.shown')}
        <select
          name="round"
          value={first}
          onChange={({ currentTarget }) => change(Number(currentTarget.value), second)}
        >
          {options}
        </select>
      </label>
      <label>
        {tell('rounds.beside')}
        <select
          name="beside"
          value={second ?? ''}
          onChange={({ currentTarget: { value } }) => change(first, value === '' ? undefined : Number(value))}
        >
          <option value="">{tell('rounds.none')}</option>
          {options}
        </select>
      </label>
      <a class="quiet" href={screenPath(poll, shown)} target="_blank" rel="noreferrer">
        {tell('rounds.screen')}
      </a>
    </fieldset>
  );
}
