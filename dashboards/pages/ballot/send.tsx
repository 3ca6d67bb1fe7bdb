import { say } from '../words/language.ts';

/** The button that casts the vote. @param onSend absent if the button submits the form it is in, as Enter does */
export function Send({ isReady, isAgain, onSend }: { isReady: boolean; isAgain: boolean; onSend?: () => void }) {
  return (
    <button type={onSend ? 'button' : 'submit'} class="send" disabled={!isReady} onClick={onSend}>
      {say(isAgain ? 'vote.change' : 'vote.send')}
    </button>
  );
}
