import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { SignInWaysAnswer } from '../../../../client/answers.ts';
import { BASE } from '../../base.ts';
import type { Notice } from '../notice.tsx';
import { tell } from '../words.ts';
import { leaveToProvider, signInProblem, visitor } from './provider.ts';

/** Asks for the operator token, and checks it with the server. If there is an identity provider, offers to sign in there. */
export function SignIn(props: {
  language: ComponentChildren;
  isChecking: boolean;
  notice: Notice | undefined;
  onSignIn: (token: string) => void;
}) {
  const { language, isChecking, notice, onSignIn } = props;
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState('');
  const [isTrying, setTrying] = useState(false);
  const [provider, setProvider] = useState<SignInWaysAnswer['provider']>(null);
  useEffect(() => {
    // A server that does not answer is reported when the token is sent.
    visitor.signInWays().then(
      (ways) => setProvider(ways.provider),
      () => {},
    );
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setTrying(true);
    setProblem('');
    const headers = { authorization: `Bearer ${token.trim()}` };
    const response = await fetch(`${BASE}/api/operator`, { headers }).catch(() => undefined);
    setTrying(false);
    if (response?.ok) onSignIn(token.trim());
    else setProblem(response?.status === 401 ? tell('signIn.wrong') : tell('error.away'));
  };
  const leave = async (address: string) => {
    setTrying(true);
    setProblem('');
    await leaveToProvider(address).catch((error) => setProblem(signInProblem(error)));
    setTrying(false);
  };
  return (
    <div class="door">
      <main>
        <form class="panel" onSubmit={submit}>
          <p class="brand">
            <img src={`${BASE}/web/icon.svg`} alt="" width="40" height="40" /> Pollcast
          </p>
          <h1>{tell('signIn')}</h1>
          {provider && (
            <>
              <button
                type="button"
                class="send"
                disabled={isTrying || isChecking}
                onClick={() => void leave(provider.address)}
              >
                {tell('signIn.with', { name: provider.name })}
              </button>
              <p class="hint">{tell('signIn.or')}</p>
            </>
          )}
          <label>
            {tell('signIn.token')}
            <input
              type="password"
              name="token"
              autocomplete="current-password"
              value={token}
              aria-invalid={problem !== ''}
              aria-describedby="sign-in-problem"
              onInput={({ currentTarget: { value } }) => setToken(value)}
            />
          </label>
          <p class="hint">{tell('signIn.where')}</p>
          <p class="problem" id="sign-in-problem" role="alert">
            {problem || (notice?.isBad && notice.text)}
          </p>
          <p class="hint" role="status">
            {!notice?.isBad && notice?.text}
          </p>
          <button type="submit" class="send" disabled={token.trim() === '' || isTrying || isChecking}>
            {tell('signIn.do')}
          </button>
        </form>
        {language}
      </main>
    </div>
  );
}
