import { isDeepStrictEqual } from 'node:util';
import { Refusal } from '../runtime/refusal.ts';
import type { Definition, Draft } from '../voting/kinds/definition.ts';
import { MUTABLE_SETTINGS, withoutGaps, withoutSettingsOfOtherKinds } from '../voting/poll/definition.ts';
import { type Poll, versionOf } from '../voting/poll/poll.ts';
import { validDefinition } from './poll-repository.ts';

/** How much of a setting’s value is shown when somebody else has changed it, in characters. */
const MAX_SHOWN = 80;

/**
 * A poll with changed settings. An undefined value removes a setting.
 *
 * @param basedOn the version that the author of the changes had read; if given, nothing is changed if the poll has a later one
 * @throws Refusal poll-was-opened, bad-definition, edit-conflict
 */
export function edited(now: Poll, changes: Partial<Draft>, basedOn?: number): Poll {
  const before = settingsOf(now);
  // A change that was already made is no conflict: a request may be repeated because its answer was lost.
  if (Object.entries(changes).every(([field, value]) => isSame(before.get(field), value))) return now;
  if (basedOn !== undefined) demandVersion(now, basedOn);
  const next = changed(now, changes);
  const after = settingsOf(next);
  const fields = [...new Set([...before.keys(), ...after.keys()])];
  const moved = fields.filter((field) => !isSame(before.get(field), after.get(field)));
  const version = versionOf(now) + 1;
  return {
    ...next,
    version,
    changedIn: { ...now.changedIn, ...Object.fromEntries(moved.map((one) => [one, version])) },
  };
}

/** @throws Refusal edit-conflict, with what others have changed since the version */
function demandVersion(now: Poll, basedOn: number): void {
  const version = versionOf(now);
  if (basedOn === version) return;
  const { poll: id } = now.definition;
  const settings = settingsOf(now);
  const fields = Object.entries(now.changedIn ?? {})
    .filter(([, changedIn]) => changedIn > basedOn)
    .map(([field]) => field);
  const named = fields.length > 0 ? ` (changed: ${fields.join(', ')})` : '';
  throw new Refusal(
    'edit-conflict',
    `your change is based on version ${basedOn} of poll ${id}, but the poll is now at version ${version}${named}; read it again, and base your change on that`,
    fields.map((field) => `${field}: ${brief(settings.get(field))}`),
  );
}

/** What the poll’s author wrote, by setting. Once the poll has been opened, its definition. */
function settingsOf({ draft, definition }: Poll): Map<string, unknown> {
  return new Map(Object.entries(draft ?? definition));
}

/** @throws Refusal poll-was-opened, bad-definition */
function changed(now: Poll, changes: Partial<Draft>): Poll {
  const { poll: id } = now.definition;
  const isMutable = Object.keys(changes).every((field) => (MUTABLE_SETTINGS as readonly string[]).includes(field));
  if (now.status !== 'draft' && !isMutable) {
    const why = `poll ${id} was opened, and its question cannot be changed after that; create a new poll (${MUTABLE_SETTINGS.join(' and ')} can still be changed)`;
    throw new Refusal('poll-was-opened', why);
  }
  const written: Draft = withoutGaps({ ...(now.draft ?? now.definition), ...changes });
  const draft = changes.kind === undefined ? written : withoutSettingsOfOtherKinds(written);
  const definition = validDefinition(draft, now.status === 'draft' ? undefined : now.definition);
  if (now.status !== 'draft') {
    // Only the mutable settings are replaced; all others stay exactly as they were.
    const settings = definition as Readonly<Record<string, unknown>>;
    const replaced = Object.fromEntries(MUTABLE_SETTINGS.map((field) => [field, settings[field]]));
    return { ...now, definition: { ...now.definition, ...replaced } };
  }
  if (changes.opensAt !== undefined) demandFuture(definition);
  return { ...now, definition, draft };
}

/** Rejects an opening time in the past, because such a poll would open immediately. @throws Refusal bad-definition */
export function demandFuture({ opensAt }: Definition): void {
  if (opensAt === undefined || Date.parse(opensAt) > Date.now()) return;
  throw new Refusal('bad-definition', 'this poll cannot be used: 1 problem', [
    `opensAt: ${opensAt} is in the past; omit it and open the poll manually`,
  ]);
}

/** True if both values have the same JSON. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(plain(a), plain(b));
}

const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

function brief(value: unknown): string {
  if (value === undefined) return 'removed';
  const text = JSON.stringify(value);
  return `now ${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}`;
}
