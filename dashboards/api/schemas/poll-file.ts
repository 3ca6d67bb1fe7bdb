import { Type } from 'typebox';
import { DraftSchema, PartialDraftSchema } from '../../../core/voting/poll/schema.ts';

/** The JSON Schema of poll files: one poll, or several with shared defaults. Published as examples/poll.schema.json. */
export function pollFileSchema(): object {
  const polls = Type.Array(PartialDraftSchema, { description: 'the polls in this file' });
  const defaults = Type.Optional({ ...PartialDraftSchema, description: 'settings that all polls share' });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Pollcast polls',
    description: 'One or more polls, for `pollcast poll create -f`.',
    anyOf: [DraftSchema, Type.Object({ defaults, polls }, { additionalProperties: false })],
  };
}
