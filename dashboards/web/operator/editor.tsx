import { useEffect, useState } from 'preact/hooks';
import { KIND_NAMES, type KindName } from '../../../core/voting/poll.ts';
import { Ballot } from '../ballot/ballot.tsx';
import { say } from '../words/language.ts';
import { type PollInfo, pollPath } from './api.ts';
import { useAttempt, useDesk } from './context.ts';
import { checked, type Draft, EMPTY, hasOptions, previewed, written } from './draft.ts';
import { KindFields } from './kind-fields.tsx';
import { OptionList } from './option-list.tsx';
import { RuleFields } from './rule-fields.tsx';
import { TimeFields } from './time-fields.tsx';
import { tell } from './words.ts';

/** A poll's definition, without where it stands. */
function withoutState(poll: PollInfo): Draft {
  const { status, round, createdAt, openedAt, closingAt, stoppedAt, closedAt, draft, ...own } = poll;
  const { electorate, presentAtOpen, presentAtClose, ...definition } = own;
  return definition;
}

/** Writes a new poll, or changes a draft, with the ballot beside it as phones will show it. */
export function Editor({ poll }: { poll?: string }) {
  const { api } = useDesk();
  const attempt = useAttempt();
  const [draft, setDraft] = useState<Draft | undefined>(poll === undefined ? EMPTY : undefined);
  const [before, setBefore] = useState<Draft>();
  const [isTried, setTried] = useState(false);
  useEffect(() => {
    if (poll === undefined) return;
    void attempt(async () => {
      const found = await api.call<PollInfo>('GET', pollPath(poll));
      const own = found.draft ?? withoutState(found);
      setDraft(own);
      setBefore(own);
    });
  }, [poll]);
  if (!draft) return <p class="empty">{say('wait.stream')}</p>;

  const change = (what: Partial<Draft>) => setDraft({ ...draft, ...what });
  const { definition, problems } = checked(draft);
  const saveAnd = (isOpening: boolean) => async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (problems.length > 0) return;
    const body = written(draft);
    const isDone = await attempt(async () => {
      if (poll === undefined) await api.call('POST', '/api/polls', body);
      else {
        // What was taken away is said so.
        const gone = Object.keys(before ?? {}).filter((field) => !(field in body));
        const { poll: _, ...fields } = body;
        await api.call('PATCH', pollPath(poll), {
          ...fields,
          ...Object.fromEntries(gone.map((field) => [field, null])),
        });
      }
    });
    if (!isDone) return;
    location.hash = `#/polls/${encodeURIComponent(body.poll)}`;
    // It is saved, whatever becomes of its opening.
    if (isOpening) await attempt(() => api.call('POST', `${pollPath(body.poll)}/open`));
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
            <KindFields draft={draft} onChange={change} />
          </section>
          <details class="panel">
            <summary>{tell('editor.rules')}</summary>
            <RuleFields draft={draft} onChange={change} />
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
          <Ballot
            key={`${draft.kind} ${draft.question} ${draft.items !== undefined}`}
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
