import { useRef, useState } from 'preact/hooks';
import type { GuestAnswer } from '../../../client/answers.ts';
import { MAX_NICKNAME_LENGTH } from '../../../core/voting/rules/text/nickname.ts';
import { BASE } from '../base.ts';
import { say, type WordName } from '../words/language.ts';
import { recall } from './booth/memory.ts';

/** The time in ms that the server may take to respond. */
const ANSWER_LIMIT_MS = 10_000;

const OUTCOMES: Readonly<Record<string, WordName>> = {
  'bad-nickname': 'nickname.bad',
  'nickname-taken': 'nickname.taken',
  'nickname-blocked': 'nickname.blocked',
};

/** The guest’s own name, which is optional. */
export function Nickname() {
  const [text, setText] = useState('');
  const [outcome, setOutcome] = useState<WordName>();
  /** Whether the guest has typed a name, which the stored one must not replace when it arrives. */
  const hasTyped = useRef(false);
  const send = async (method: 'GET' | 'PUT', nickname?: string) => {
    const { credentials } = recall();
    if (!credentials) return;
    const { device, password } = credentials;
    const response = await fetch(`${BASE}/api/guests/me`, {
      method,
      headers: {
        authorization: `Basic ${btoa(`${device}:${password}`)}`,
        ...(nickname === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: nickname === undefined ? null : JSON.stringify({ nickname }),
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    }).catch(() => undefined);
    const answer = await response?.json().catch(() => undefined);
    if (!response?.ok) {
      const code = String(answer?.type ?? '').replace('urn:pollcast:', '');
      return setOutcome(OUTCOMES[code] ?? 'nickname.failed');
    }
    const { nickname: kept, blocked } = answer as GuestAnswer;
    if (method === 'PUT' || !hasTyped.current) setText(kept ?? '');
    setOutcome(blocked ? 'nickname.blocked' : method === 'PUT' ? 'nickname.saved' : undefined);
  };
  return (
    <details class="nickname" onToggle={({ currentTarget }) => currentTarget.open && void send('GET')}>
      <summary>{say('nickname')}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send('PUT', text);
        }}
      >
        <input
          name="nickname"
          value={text}
          maxLength={MAX_NICKNAME_LENGTH}
          autocomplete="nickname"
          dir="auto"
          aria-label={say('nickname')}
          aria-describedby="nickname-about"
          onInput={({ currentTarget: { value } }) => {
            hasTyped.current = true;
            setText(value);
          }}
        />
        <button type="submit" class="quiet">
          {say('nickname.save')}
        </button>
      </form>
      <p class="hint" id="nickname-about">
        {say('nickname.about')}
      </p>
      <p class="hint" role="status">
        {outcome && say(outcome, { n: MAX_NICKNAME_LENGTH })}
      </p>
    </details>
  );
}
