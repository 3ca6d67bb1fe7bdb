import type { Versioned } from '../../store/store.ts';
import type { Mandate } from '../../voting/poll/electorate.ts';
import { formatWeight, parseWeight } from '../../voting/rules/weight.ts';
import type { Device } from '../device.ts';
import { formatMandate } from '../mandate-text.ts';
import { isSecret } from '../secret.ts';

/** A device in an import. What is absent stays as it is; what is null is removed. */
export interface ImportedDevice {
  readonly device: string;
  readonly label?: string | null | undefined;
  readonly group?: string | null | undefined;
  readonly weight?: string | null | undefined;
  readonly mandates?: readonly Mandate[] | null | undefined;
  readonly secret?: string | undefined;
}

const FIELDS = ['label', 'group', 'weight', 'mandates'] as const;
type Settings = Pick<Device, (typeof FIELDS)[number]>;

/** How a field changes, as people read it; null if it is not set. */
export interface FieldChange {
  readonly field: (typeof FIELDS)[number];
  readonly from: string | null;
  readonly to: string | null;
}

/** What an import would do with a device. */
export interface PlannedDevice {
  readonly device: string;
  readonly settings: Settings;
  readonly secret: string | undefined;
  /** The stored device; undefined if the device is new. */
  readonly before: Versioned<Device> | undefined;
  /** Empty if the device is registered and stays as it is. */
  readonly changes: readonly FieldChange[];
}

/** What an import would do with a device, given how it is stored. */
export function planDevice(wanted: ImportedDevice, before: Versioned<Device> | undefined): PlannedDevice {
  const settings = Object.fromEntries(
    FIELDS.map((field) => [field, wanted[field] === undefined ? before?.value[field] : (wanted[field] ?? undefined)]),
  ) as Settings;
  const changes = FIELDS.map((field) => ({
    field,
    from: before ? shown(field, before.value) : null,
    to: shown(field, settings),
  })).filter(({ from, to }) => from !== to);
  return { device: wanted.device, settings, secret: wanted.secret, before, changes };
}

/** True if the import names a secret for a registered device that has another one. */
export function hasOtherSecret({ before, secret }: PlannedDevice): boolean {
  if (before === undefined || secret === undefined) return false;
  const { next } = before.value;
  return !isSecret(secret, before.value) && !(next && isSecret(secret, next));
}

function shown(field: (typeof FIELDS)[number], settings: Settings): string | null {
  if (field === 'mandates') return settings.mandates?.map(formatMandate).join(' ') || null;
  if (field !== 'weight') return settings[field] ?? null;
  const weight = parseWeight(settings.weight ?? '1');
  return weight === undefined ? (settings.weight ?? null) : formatWeight(weight);
}
