import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type OwnName, tell, tellIfKnown } from '../words.ts';

/** A problem of a draft: the field it is about, and what must be changed. */
interface Problem {
  /** The name of the field’s input. */
  readonly field: string;
  /** The path of the setting, as in the API and in poll files. */
  readonly path: string;
  readonly text: string;
}

/** The problems that are shown at their fields. */
export const ProblemsContext = createContext<readonly Problem[]>([]);

/** Reads problems as `checkDefinition` lists them: `max: must be above min`, or `min, max: …` if they are about several fields. */
export function problemsOf(texts: readonly string[]): readonly Problem[] {
  return texts.flatMap((text) => {
    const [, paths, what] = /^([\w.[\], ]+?): (.*)$/s.exec(text) ?? [];
    if (paths === undefined || what === undefined) return [{ field: '', path: '', text }];
    return paths.split(', ').map((path) => ({ field: fieldOf(path), path, text: what }));
  });
}

/** The name of the input for a setting: its path for an option or item, `quorumShare` for `quorum.share`. */
function fieldOf(path: string): string {
  if (/^(options|items)\[\d+\]\.(key|label)$/.test(path)) return path;
  const [, part] = /^quorum\.(\w+)$/.exec(path) ?? [];
  if (part !== undefined) return `quorum${part.charAt(0).toUpperCase()}${part.slice(1)}`;
  return path.split(/[.[]/, 1)[0] ?? path;
}

/** What the editor calls a field. */
export function fieldLabel(field: string): string {
  const [, list, place, part] = /^(option|item)s\[(\d+)\]\.(key|label)$/.exec(field) ?? [];
  if (list !== undefined) return tell(`${list}.${part}` as OwnName, { n: Number(place) + 1 });
  return tellIfKnown(`field.${field}`);
}

/** The problems of one field, to be placed inside its label, so that screen readers read them with it. */
export function FieldProblem({ name }: { name: string }) {
  const own = useContext(ProblemsContext).filter(({ field }) => field === name);
  return own.map(({ text }) => (
    <span key={text} class="problem">
      {text}
    </span>
  ));
}

/** All problems, each with a button that goes to its field. */
export function ProblemList({ problems }: { problems: readonly Problem[] }) {
  return (
    <div class="notice" data-bad role="alert">
      <p>{tell('editor.problems')}</p>
      <ul>
        {problems.map(({ field, path, text }) => (
          <li key={`${path} ${text}`}>
            {field !== '' && (
              <>
                <button type="button" class="to-field" onClick={() => goTo(field)}>
                  {fieldLabel(field)}
                </button>{' '}
                <code>{path}</code>:{' '}
              </>
            )}
            {text}
          </li>
        ))}
      </ul>
    </div>
  );
}

function goTo(field: string): void {
  const input = document.querySelector<HTMLElement>(`form [name=${CSS.escape(field)}]`);
  const folded = input?.closest('details');
  if (folded) folded.open = true;
  input?.focus();
}
