import { useEffect, useState } from 'preact/hooks';
import type { PollAnswer } from '../../../../client/answers.ts';
import { ApiError } from '../../../../client/api.ts';
import type { KindName } from '../../../../core/voting/kinds/definition.ts';
import { KIND_NAMES } from '../../../../core/voting/kinds/index.ts';
import { BallotForm } from '../../poll/ballot-form.tsx';
import { say } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';
import { Conflict } from './conflict.tsx';
import { checkDraft, draftOf, type EditedPoll, EMPTY, hasOptions, previewed } from './draft.ts';
import { KindFields } from './kind-fields.tsx';
import { OptionList } from './option-list.tsx';
import { FieldProblem, ProblemList, ProblemsContext, problemsOf } from './problems.tsx';
import { RuleFields } from './rule-fields.tsx';
import { TimeFields } from './time-fields.tsx';

/** A poll’s definition, without its state. */
function withoutState(poll: PollAnswer): EditedPoll {
  const { status, round, createdAt, openedAt, closingAt, stoppedAt, closedAt, draft, rounds, ...own } = poll;
  const { electorate, presentAtOpen, presentAtClose, version, interruptions, curtain, screenKey, ...rest } = own;
  return rest as EditedPoll;
}

/** What the author wrote, and the version of it. */
interface Saved {
  readonly poll: EditedPoll;
  readonly version: number | undefined;
}

function savedOf(found: PollAnswer): Saved {
  const { draft, version } = found;
  return { poll: draft ? { ...draft, options: draft.options ?? [] } : withoutState(found), version };
}

/** Creates a poll or edits a draft, next to a preview of the ballot as phones show it. */
export function Editor({ poll }: { poll?: string }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [draft, setDraft] = useState<EditedPoll | undefined>(poll === undefined ? EMPTY : undefined);
  const [before, setBefore] = useState<Saved>();
  /** What somebody else has saved since `before`. */
  const [theirs, setTheirs] = useState<Saved>();
  const [isTried, setTried] = useState(false);
  const load = (saved: Saved) => {
    setDraft(saved.poll);
    setBefore(saved);
    setTheirs(undefined);
  };
  useEffect(() => {
    if (poll === undefined) return;
    void attempt(async () => {
      load(savedOf(await api.poll(poll)));
    });
  }, [poll]);
  if (!draft) return <p class="empty">{say('wait.stream')}</p>;

  const change = (changes: Partial<EditedPoll>) => setDraft({ ...draft, ...changes });
  const { definition, problems } = checkDraft(draft);
  /** @param saved what the changes are based on; if somebody else has saved the poll since, it is not changed */
  const save = async (saved: Saved | undefined): Promise<void> => {
    const body = draftOf(draft);
    if (poll === undefined) return void (await api.createPoll(body));
    // Settings that were removed are sent as null.
    const gone = Object.keys(saved?.poll ?? {}).filter((field) => !(field in body));
    const { poll: _, ...fields } = body;
    const changes = { ...fields, ...Object.fromEntries(gone.map((field) => [field, null])) };
    await api.changePoll(poll, changes, saved?.version);
  };
  const saveOver = async (saved: Saved | undefined, isOpening: boolean) => {
    setTried(true);
    if (problems.length > 0) return;
    const isDone = await attempt(async () => {
      try {
        await save(saved);
        return true;
      } catch (error) {
        if (poll === undefined || !(error instanceof ApiError) || error.code !== 'edit-conflict') throw error;
        setTheirs(savedOf(await api.poll(poll)));
        return false;
      }
    });
    if (!isDone) return;
    const id = draftOf(draft).poll;
    location.hash = `#/polls/${encodeURIComponent(id)}`;
    // The poll stays saved even if it cannot be opened.
    if (isOpening) await attempt(() => api.step(id, 'open'));
  };
  const saveAnd = (isOpening: boolean) => (event: Event) => {
    event.preventDefault();
    void saveOver(before, isOpening);
  };
  const found = problemsOf(problems);
  return (
    <>
      <div class="head">
        <h1>{tell(poll === undefined ? 'editor.new' : 'editor.change')}</h1>
      </div>
      <div class="columns-2">
        <ProblemsContext.Provider value={isTried ? found : []}>
          <form class="stack" onSubmit={saveAnd(false)}>
            <section class="panel stack">
              <label>
                {tell('field.title')}
                <textarea
                  rows={2}
                  name="title"
                  dir="auto"
                  required
                  value={draft.title}
                  onInput={({ currentTarget: { value } }) => change({ title: value })}
                />
                <FieldProblem name="title" />
              </label>
              <div class="row">
                <label>
                  {tell('field.poll')}
                  <input
                    name="poll"
                    required
                    disabled={poll !== undefined}
                    value={draft.poll ?? ''}
                    onInput={({ currentTarget: { value } }) => change({ poll: value.trim() })}
                  />
                  <FieldProblem name="poll" />
                </label>
                <label>
                  {tell('field.room')}
                  <input
                    name="room"
                    value={draft.room ?? ''}
                    onInput={({ currentTarget: { value } }) => change({ room: value.trim() || undefined })}
                  />
                  <FieldProblem name="room" />
                </label>
                <label>
                  {tell('field.kind')}
                  <select
                    name="kind"
                    value={draft.kind}
                    onChange={({ currentTarget: { value } }) => change({ kind: value as KindName })}
                  >
                    {KIND_NAMES.map((kind) => (
                      <option key={kind} value={kind}>
                        {tell(`kind.${kind}`)}
                      </option>
                    ))}
                  </select>
                </label>
              </div>
              <p class="hint">{tell(`about.${draft.kind ?? 'single'}`)}</p>
              {hasOptions(draft) && (
                <OptionList of="option" options={draft.options} onChange={(options) => change({ options })} />
              )}
              <KindFields draft={draft} definition={definition} onChange={change} />
            </section>
            <details class="panel">
              <summary>{tell('editor.rules')}</summary>
              <RuleFields draft={draft} definition={definition} onChange={change} />
            </details>
            <details class="panel">
              <summary>{tell('editor.times')}</summary>
              <TimeFields draft={draft} onChange={change} />
            </details>
            {isTried && found.length > 0 && <ProblemList problems={found} />}
            {before && theirs && (
              <Conflict
                before={before.poll}
                theirs={theirs.poll}
                onLoad={() => load(theirs)}
                onOverwrite={() => void saveOver(theirs, false)}
              />
            )}
            <div class="actions">
              <button type="submit" class="send">
                {tell('editor.save')}
              </button>
              <button type="button" class="quiet" onClick={saveAnd(true)}>
                {tell('editor.saveAndOpen')}
              </button>
              <a class="quiet" href={poll === undefined ? '#/polls' : `#/polls/${encodeURIComponent(poll)}`}>
                {tell('editor.cancel')}
              </a>
            </div>
          </form>
        </ProblemsContext.Provider>
        <section class="panel preview" aria-label={tell('editor.preview')}>
          <p class="hint">{say('vote.preview')}</p>
          <h2 dir="auto">{draft.title || tell('field.title')}</h2>
          <BallotForm
            question={previewed(definition)}
            cast={undefined}
            isInstant={definition.revote === 'last'}
            isDisabled={false}
            onCast={() => {}}
          />
        </section>
      </div>
    </>
  );
}
