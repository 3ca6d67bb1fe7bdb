import { Type } from 'typebox';
import { NewPoll } from './schemas.ts';

/** The JSON Schema of poll files: one poll, or several with what they share. Published as examples/poll.schema.json. */
export function templateSchema(): object {
  const polls = Type.Array(Type.Partial(NewPoll), { description: 'the polls of this file' });
  const defaults = Type.Optional(Type.Partial(NewPoll, { description: 'what all polls share' }));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Pollcast polls',
    description: 'A poll, or several, for `pollcast poll create -f`.',
    anyOf: [NewPoll, Type.Object({ defaults, polls }, { additionalProperties: false })],
  };
}
