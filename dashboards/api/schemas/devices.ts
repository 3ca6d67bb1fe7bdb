import { Type } from 'typebox';
import { MAX_LABEL_LENGTH } from '../../../core/devices/device.ts';
import { MAX_IMPORT } from '../../../core/devices/import/table.ts';
import { boolean, closed, id, string } from '../../../core/voting/rules/schema.ts';

/** How long in seconds the old secret of a device works at most while the new one is not used: a month, and a week by default. */
const MAX_GRACE_SECONDS = 2_592_000;
export const DEFAULT_GRACE_SECONDS = 604_800;
/** For how many devices one request gives or withdraws codes or secrets: hashing 200 codes takes some two seconds. */
const MAX_TOGETHER = 200;

/** The schemas of request bodies that register and change devices. `demandValid` checks the values. */

const Mandate = closed({
  mandate: id('the voter it is for'),
  weight: Type.Optional(string('a number as a string; default: 1')),
  group: Type.Optional(id('the group of the voter')),
});

const settings = {
  label: Type.Optional(string(`what people call it, at most ${MAX_LABEL_LENGTH} characters`)),
  group: Type.Optional(id('the device’s group, such as a team or a chamber')),
  weight: Type.Optional(
    string('the weight of its own vote, a number as a string; default: 1; with 0, it votes for its mandates only'),
  ),
  mandates: Type.Optional(Type.Array(Mandate, { description: 'votes that the device casts for others, at most 100' })),
};

export const NewDeviceSchema = closed({
  device: id('the device’s id, also its MQTT client id and user name'),
  ...settings,
  secret: Type.Optional(
    Type.String({ description: 'at least 16 characters; if omitted, one is generated and returned only once' }),
  ),
});

/** The schema of a setting that may also be null, which removes it. */
const orNull = (description: string) => Type.Unsafe<string | null>({ type: ['string', 'null'], description });
const lentTo = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  minLength: 1,
  maxLength: 100,
  description: 'who it is lent to; null: it was returned',
});
const removable = {
  label: orNull('null removes it'),
  group: orNull('null removes it'),
  weight: orNull('null resets it to 1'),
};
export const DevicePatchSchema = Type.Partial(Type.Object({ ...settings, ...removable, lentTo }), {
  additionalProperties: false,
  minProperties: 1,
});

const ImportedDeviceSchema = Type.Object(
  {
    ...NewDeviceSchema.properties,
    label: Type.Optional(removable.label),
    group: Type.Optional(removable.group),
    weight: Type.Optional(removable.weight),
    mandates: Type.Optional(
      Type.Unsafe<readonly Type.Static<typeof Mandate>[] | null>({
        type: ['array', 'null'],
        items: Mandate,
        description: 'votes that the device casts for others; null removes them',
      }),
    ),
  },
  { additionalProperties: false },
);
export const DeviceImportSchema = closed({
  devices: Type.Array(ImportedDeviceSchema, { minItems: 1, maxItems: MAX_IMPORT }),
});
export const RevocationSchema = Type.Object(
  {
    devices: Type.Optional(Type.Array(id('the id of a device'), { minItems: 1, maxItems: MAX_IMPORT })),
    group: Type.Optional(id('all devices of this group')),
  },
  { additionalProperties: false, minProperties: 1 },
);
const renewal = {
  graceSeconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_GRACE_SECONDS,
      description: `how long the old secret works if the new one is not used before; default: ${DEFAULT_GRACE_SECONDS}; 0: it ends now`,
    }),
  ),
};
const claim = {
  expiresInSeconds: Type.Optional(
    Type.Integer({ minimum: 60, maximum: 31_536_000, description: 'default: the code does not expire' }),
  ),
};
const some = { devices: Type.Array(id('the id of a device'), { minItems: 1, maxItems: MAX_TOGETHER }) };
export const RenewalSchema = Type.Object(renewal, { additionalProperties: false });
export const RenewalsSchema = Type.Object({ ...some, ...renewal }, { additionalProperties: false });
export const ClaimSchema = Type.Object(claim, { additionalProperties: false });
export const WithdrawalsSchema = Type.Object(some, { additionalProperties: false });
export const ClaimsSchema = Type.Object({ ...some, ...claim }, { additionalProperties: false });
export const ExchangeSchema = closed({
  code: Type.String({ maxLength: 100, description: 'as printed; upper and lower case and separators do not matter' }),
});
export const ImportQuery = closed({
  dryRun: Type.Optional(boolean('whether only to say what would change')),
});
