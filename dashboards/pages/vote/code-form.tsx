import { useState } from 'preact/hooks';
import { say, type WordName } from '../words/language.ts';
import type { JoinCodeProblem } from './booth/joining/entrance.ts';

const TEXTS: Readonly<Record<JoinCodeProblem, WordName>> = {
  'join-code-needed': 'code.needed',
  'wrong-join-code': 'code.wrong',
  'join-code-revoked': 'code.revoked',
};

/** Asks for the join code of a room. */
export function CodeForm({ asks, onCode }: { asks: JoinCodeProblem; onCode: (code: string) => void }) {
  const [code, setCode] = useState('');
  const isWrong = asks !== 'join-code-needed';
  return (
    <form
      class="card code"
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim() !== '') onCode(code.trim());
      }}
    >
      <h1>{say('code.title')}</h1>
      <p class="hint" id="code-about" role={isWrong ? 'alert' : undefined}>
        {say(TEXTS[asks])}
      </p>
      <input
        name="code"
        value={code}
        maxLength={40}
        required
        autocomplete="off"
        autocapitalize="characters"
        spellcheck={false}
        dir="ltr"
        aria-label={say('code.title')}
        aria-describedby="code-about"
        aria-invalid={isWrong || undefined}
        onInput={({ currentTarget: { value } }) => setCode(value)}
      />
      <button type="submit" class="send">
        {say('code.join')}
      </button>
    </form>
  );
}
