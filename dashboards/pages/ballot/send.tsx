import { say } from '../words/language.ts';

/** The button that casts the vote. */
export function Send({ isReady, isAgain, onSend }: { isReady: boolean; isAgain: boolean; onSend: () => void }) {
  return (
    <button type="button" class="send" disabled={!isReady} onClick={onSend}>
      {say(isAgain ? 'vote.change' : 'vote.send')}
    </button>
  );
}
