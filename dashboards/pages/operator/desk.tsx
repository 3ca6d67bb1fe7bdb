import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ClaimAnswer, DeploymentAnswer, RegisteredDevice } from '../../../client/answers.ts';
import { ApiError } from '../../../client/api.ts';
import { BASE } from '../base.ts';
import { LanguageChoice } from '../words/language-choice.tsx';
import { OperatorApi, storedToken } from './api.ts';
import { DeskContext, permissionsOf } from './context.ts';
import { useTaskRun } from './devices/chosen/use-task-run.ts';
import { Devices } from './devices/devices.tsx';
import { Editor } from './editor/editor.tsx';
import { completeSignIn, hasReturned, signInProblem } from './entry/provider.ts';
import { SignIn } from './entry/sign-in.tsx';
import { type Notice, NoticeBox, noticeOf } from './notice.tsx';
import { AuditTrail } from './people/audit-trail.tsx';
import { Operators } from './people/operators.tsx';
import { PollPage } from './polls/poll-page.tsx';
import { Polls } from './polls/polls.tsx';
import { Rooms } from './polls/rooms.tsx';
import { tell, useOperatorLanguage } from './words.ts';

/** The sections of the page, with what one must be allowed to do to see them. */
const SECTIONS = [
  ['polls', 'poll.list'],
  ['rooms', 'room.read'],
  ['devices', 'device.list'],
  ['operators', 'operator.list'],
  ['trail', 'trail.read'],
] as const;

/** The operator’s pages, after signing in. */
export function OperatorDesk() {
  const [token, setToken] = useState(() => storedToken.read());
  const [deployment, setDeployment] = useState<DeploymentAnswer>();
  const [notice, notify] = useState<Notice>();
  const [secrets, setSecrets] = useState<readonly RegisteredDevice[]>([]);
  const [claims, setClaims] = useState<readonly ClaimAnswer[]>([]);
  const tasks = useTaskRun(setClaims, setSecrets);
  const [, redraw] = useState(0);
  const [isReturning, setReturning] = useState(hasReturned);
  const hash = useHash();
  const enter = (given: string) => {
    storedToken.write(given);
    notify(undefined);
    setDeployment(undefined);
    setToken(given);
  };
  const signOut = () => {
    storedToken.write(null);
    setToken(null);
    setDeployment(undefined);
  };
  const leave = async () => {
    tasks.stop();
    // A token is of use after signing out, a session is not.
    const isOver = await (deployment?.operator.session ? api?.endSession() : undefined)?.then(
      () => true,
      (error) => error instanceof ApiError && error.status === 401,
    );
    signOut();
    if (isOver === false) notify({ text: tell('signOut.failed'), isBad: true });
  };
  const api = useMemo(() => (token === null ? undefined : new OperatorApi(token, signOut)), [token]);
  useEffect(() => {
    // If the stored token is no longer valid, `signOut` has been called, and the page asks for a new one.
    api?.deployment().then(setDeployment, (error) => {
      if (error instanceof ApiError && error.status !== 401) notify(noticeOf(error));
    });
  }, [api]);
  useEffect(() => notify(undefined), [hash]);
  useEffect(() => {
    if (!isReturning) return;
    completeSignIn(token)
      .then(
        (given) => given !== undefined && enter(given),
        (error) => notify({ text: signInProblem(error), isBad: true }),
      )
      .finally(() => setReturning(false));
  }, []);
  const isRunning = tasks.run?.step === 'running';
  useEffect(() => {
    if (secrets.length + claims.length === 0 && !isRunning) return;
    const warn = (event: Event) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [secrets, claims, isRunning]);
  useEffect(() => {
    document.title = `Pollcast – ${tell('title')}`;
  });

  const language = <LanguageChoice onChange={() => redraw((n) => n + 1)} load={useOperatorLanguage} />;
  if (!api || !deployment) {
    return (
      <SignIn
        language={language}
        isChecking={token !== null || isReturning}
        notice={isReturning ? { text: tell('signIn.returning'), isBad: false } : notice}
        onSignIn={enter}
      />
    );
  }
  const [, section = 'polls', id, action] = hash.split('/').map(decodeURIComponent);
  const may = permissionsOf(deployment);
  return (
    <DeskContext.Provider value={{ api, deployment, may, notify, secrets, setSecrets, claims, setClaims, tasks }}>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        {tell('skip')}
      </button>
      <header class="top">
        <p class="brand">
          <img src={`${BASE}/web/icon.svg`} alt="" width="28" height="28" /> Pollcast
        </p>
        <nav aria-label={tell('nav')}>
          {SECTIONS.filter(([, needed]) => may(needed)).map(([name]) => (
            <a key={name} href={`#/${name}`} aria-current={section === name ? 'page' : undefined}>
              {tell(`nav.${name}`)}
            </a>
          ))}
          <a href={`${BASE}/docs`}>{tell('nav.api')}</a>
        </nav>
        {language}
        <button type="button" class="quiet" onClick={() => void leave()}>
          {tell('signOut')}
        </button>
      </header>
      <main class="desk" id="main" tabIndex={-1}>
        <div role="alert">{notice && <NoticeBox notice={notice} onClose={() => notify(undefined)} />}</div>
        {section === 'rooms' ? (
          <Rooms />
        ) : section === 'devices' ? (
          <Devices />
        ) : section === 'operators' ? (
          <Operators />
        ) : section === 'trail' ? (
          <AuditTrail />
        ) : id === 'new' && action === undefined ? (
          <Editor key="new" />
        ) : id !== undefined && action === 'edit' ? (
          <Editor key={id} poll={id} />
        ) : id !== undefined ? (
          <PollPage key={id} poll={id} />
        ) : (
          <Polls />
        )}
      </main>
    </DeskContext.Provider>
  );
}

function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const onChange = () => setHash(location.hash);
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return hash;
}
