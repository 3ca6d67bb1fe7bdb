import { useEffect, useState } from 'preact/hooks';
import type { PollAnswer } from '../../../../client/answers.ts';
import type { KindName } from '../../../../core/voting/kinds/definition.ts';
import { KIND_NAMES } from '../../../../core/voting/kinds/index.ts';
import { BallotForm } from '../../poll/ballot-form.tsx';
import { say } from '../../words/language.ts';
import { useAttempt, useDesk } from '../context.ts';
import { tell } from '../words.ts';
import { checkDraft, draftOf, type EditedPoll, EMPTY, hasOptions, previewed } from './draft.ts';
import { KindFields } from './kind-fields.tsx';
import { OptionList } from './option-list.tsx';
import { RuleFields } from './rule-fields.tsx';
import { TimeFields } from './time-fields.tsx';

/** A poll’s definition, without its state. */
function withoutState(poll: PollAnswer): EditedPoll {
  const { status, round, createdAt, openedAt, closingAt, stoppedAt, closedAt, draft, ...own } = poll;
  const { electorate, presentAtOpen, presentAtClose, ...definition } = own;
  return definition as EditedPoll;
}

/** Creates a poll or edits a draft, next to a preview of the ballot as phones show it. */
export function Editor({ poll }: { poll?: string }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [draft, setDraft] = useState<EditedPoll | undefined>(poll === undefined ? EMPTY : undefined);
  const [before, setBefore] = useState<EditedPoll>();
  const [isTried, setTried] = useState(false);
  useEffect(() => {
    if (poll === undefined) return;
    void attempt(async () => {
      const found = await api.poll(poll);
      const own = found.draft ? { ...found.draft, options: found.draft.options ?? [] } : withoutState(found);
      setDraft(own);
      setBefore(own);
    });
  }, [poll]);
  if (!draft) return <p class="empty">{say('wait.stream')}</p>;

  const change = (changes: Partial<EditedPoll>) => setDraft({ ...draft, ...changes });
  const { definition, problems } = checkDraft(draft);
  const saveAnd = (isOpening: boolean) => async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (problems.length > 0) return;
    const body = draftOf(draft);
    const isDone = await attempt(async () => {
      if (poll === undefined) await api.createPoll(body);
      else {
        // Settings that were removed are sent as null.
        const gone = Object.keys(before ?? {}).filter((field) => !(field in body));
        const { poll: _, ...fields } = body;
        await api.changePoll(poll, {
          ...fields,
          ...Object.fromEntries(gone.map((field) => [field, null])),
        });
      }
    });
    if (!isDone) return;
    location.hash = `#/polls/${encodeURIComponent(body.poll)}`;
    // The poll stays saved even if it cannot be opened.
    if (isOpening) await attempt(() => api.step(body.poll, 'open'));
  };
  return (
    <>
      <div class="head">
        <h1>{tell(poll === undefined ? 'editor.new' : 'editor.change')}</h1>
      </div>
      <div class="columns-2">
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
              </label>
              <label>
                {tell('field.room')}
                <input
                  name="room"
                  value={draft.room ?? ''}
                  onInput={({ currentTarget: { value } }) => change({ room: value.trim() || undefined })}
                />
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
              <OptionList
                name={tell('field.options')}
                options={draft.options}
                onChange={(options) => change({ options })}
              />
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
          {isTried && problems.length > 0 && (
            <div class="notice" data-bad role="alert">
              <p>{tell('editor.problems')}</p>
              <ul>
                {problems.map((problem) => (
                  <li key={problem}>{problem}</li>
                ))}
              </ul>
            </div>
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
