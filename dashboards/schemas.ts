import { Type } from 'typebox';
import { MAX_LABEL_LENGTH, MAX_OPTIONS, MAX_TITLE_LENGTH } from '../core/voting/definition.ts';
import { KIND_NAMES } from '../core/voting/kinds/index.ts';

/** The API's shapes. They check the form; `checkDefinition` checks the sense, and lists every problem. */

const id = (about: string) => Type.String({ description: `${about}: 1 to 64 of A-Z a-z 0-9 _ -` });
const oneOf = <T extends string>(names: readonly T[], about: string) =>
  Type.Unsafe<T>({ type: 'string', enum: [...names], description: about });

const Option = Type.Object(
  {
    key: Type.String({ description: 'what devices send', examples: ['a'] }),
    label: Type.String({ description: `what people read, at most ${MAX_LABEL_LENGTH} characters` }),
  },
  { additionalProperties: false },
);

const settings = {
  room: Type.Optional(id('the room in which it is asked; `vote/room/<room>` then means this poll while it is open')),
  title: Type.String({ description: `the question, at most ${MAX_TITLE_LENGTH} characters` }),
  kind: Type.Optional(oneOf(KIND_NAMES, 'single (default), multiple or rating')),
  options: Type.Optional(
    Type.Array(Option, { maxItems: MAX_OPTIONS, description: 'for a rating only where a grade has a label' }),
  ),
  revote: Type.Optional(oneOf(['last', 'first'], 'which vote of a device counts; default last')),
  visibility: Type.Optional(
    oneOf(['live', 'closed', 'operator'], 'who sees figures: everyone (default), everyone after the close, operators'),
  ),
  min: Type.Optional(Type.Integer({ description: 'multiple: fewest options of a vote; rating: lowest grade' })),
  max: Type.Optional(Type.Integer({ description: 'multiple: most options of a vote; rating: highest grade' })),
};

export const NewPoll = Type.Object({ poll: id('the poll’s id'), ...settings }, { additionalProperties: false });
export const PollPatch = Type.Partial(Type.Object(settings), { additionalProperties: false, minProperties: 1 });

export const PollParams = Type.Object({ poll: id('a poll') });
export const RoomParams = Type.Object({ room: id('a room') });
export const DeviceParams = Type.Object({ device: id('a device') });
export const StreamQuery = Type.Object({ polls: Type.String({ description: 'poll ids, separated by commas' }) });
export const RoundQuery = Type.Object({ round: Type.Optional(Type.Integer({ minimum: 1 })) });

export const NewDevice = Type.Object(
  {
    device: id('the device’s id, also its MQTT client id and user name'),
    label: Type.Optional(Type.String({ maxLength: 100 })),
    group: Type.Optional(id('a group of devices, for the fleet’s graphs')),
    secret: Type.Optional(
      Type.String({ description: 'at least 16 characters; when absent, one is made and answered once' }),
    ),
  },
  { additionalProperties: false },
);
export const DeviceImport = Type.Object(
  { devices: Type.Array(NewDevice, { minItems: 1, maxItems: 5_000 }) },
  { additionalProperties: false },
);
