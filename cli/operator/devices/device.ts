import { appendFile, readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type {
  DeviceAnswer,
  ImportAnswer,
  ImportedDevice,
  RegisteredDevice,
  TraceAnswer,
} from '../../../client/answers.ts';
import { MANDATE_RULE, parseMandate } from '../../../core/devices/mandate-text.ts';
import { csvRows } from '../../../core/runtime/csv.ts';
import { action, type ClientFlags, clientOf, collect, print, UsageError, withClientFlags } from '../flags.ts';
import { printable, table } from '../table.ts';
import { addDeviceSecrets } from './device-secrets.ts';

/** How many devices of an import are listed. */
const SHOWN = 50;

interface AddFlags extends ClientFlags {
  readonly label?: string;
  readonly group?: string;
  readonly weight?: string;
  readonly mandate: readonly string[];
}

/** Adds `pollcast device …`. */
export function addDevice(program: Command): void {
  const device = program.command('device').description('Register and revoke devices');

  withClientFlags(device.command('list').description('List all registered devices')).action(
    action(async (flags: ClientFlags) => print(flags, await (await clientOf(flags)).devices(), deviceTable)),
  );

  withClientFlags(device.command('add <device>').description('Register a device; its secret is shown only once'))
    .option('--label <text>', 'its display name')
    .option('--group <group>', 'its team or chamber')
    .option('--weight <number>', 'the weight of its own vote')
    .option(
      '--mandate <id[=weight][@group]>',
      'a vote that it casts for somebody else (repeat the flag for several)',
      collect,
      [],
    )
    .action(
      action(async (id: string, { label, group, weight, mandate, ...flags }: AddFlags) => {
        const mandates = mandate.length > 0 ? mandate.map(toMandate) : undefined;
        const added = await (await clientOf(flags)).registerDevice({ device: id, label, group, weight, mandates });
        print(flags, added, (one) => secretTable([one]));
      }),
    );

  withClientFlags(
    device
      .command('import <file>')
      .description('Register the devices in a CSV or JSON file, and change those that are already registered'),
  )
    .option('-o, --output <file>', 'CSV file for the secrets of new devices, readable only by you')
    .option('--dry-run', 'only print what would change')
    .action(action(importDevices));

  withClientFlags(
    device
      .command('trace <device>')
      .description('Show the last events of a device’s connections, such as why it was refused'),
  ).action(
    action(async (id: string, flags: ClientFlags) =>
      print(flags, await (await clientOf(flags)).traceDevice(id), traceTable),
    ),
  );

  addDeviceSecrets(device);
}

interface ImportFlags extends ClientFlags {
  readonly output?: string;
  readonly dryRun?: boolean;
}

async function importDevices(file: string, { output, dryRun = false, ...flags }: ImportFlags): Promise<void> {
  const wanted = await readDevices(file);
  const client = await clientOf(flags);
  const isSaved = output !== undefined && !dryRun;
  // Secrets are returned only once, so their file must exist before the first secret is generated.
  if (isSaved) await writeFile(output, csvRows([['device', 'secret']]), { mode: 0o600, flag: 'wx' });
  const answer = await client.importDevices(wanted, { dryRun });
  if (isSaved) await appendFile(output, csvRows(answer.devices.map(({ device, secret }) => [device, secret])));
  print(flags, answer, () => importText(answer, isSaved ? output : undefined));
}

/**
 * Devices in a file: JSON, as a list or in the form that the API accepts, or the bytes of a table, which the server reads because
 * spreadsheets save it in several encodings.
 */
async function readDevices(file: string): Promise<{ devices: object[] } | Uint8Array<ArrayBuffer>> {
  const bytes = await readFile(file).catch((error) => {
    throw new UsageError(`${file}: cannot be read (${error.message})`);
  });
  const text = new TextDecoder().decode(bytes);
  if (!/^\s*[[{]/.test(text)) return new Uint8Array(bytes);
  try {
    const content = JSON.parse(text);
    return Array.isArray(content) ? { devices: content } : content;
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

const SEPARATOR_NAMES: Readonly<Record<string, string>> = { ';': 'semicolons', '\t': 'tabs', ',': 'commas' };

function importText(
  { dryRun, devices, added, changed, unchanged, table: read }: ImportAnswer,
  output?: string,
): string {
  const ignored = read?.ignoredColumns.map((name) => printable(JSON.stringify(name))).join(', ');
  const lines = read ? [`  read as ${read.encoding}, separated by ${SEPARATOR_NAMES[read.separator]}`] : [];
  if (ignored) lines.push(`  ignored columns: ${ignored}`);
  const [register, change] = dryRun ? ['would be registered', 'would be changed'] : ['registered', 'changed'];
  const saved = output === undefined ? '' : `, secrets in ${output}`;
  lines.push(`  ${added.length} ${register}${saved}, ${changed.length} ${change}, ${unchanged.length} unchanged`);
  if (dryRun && added.length > 0) lines.push(importTable(added));
  if (changed.length > 0) lines.push(importTable(changed));
  if (dryRun) lines.push('  nothing was changed; leave out --dry-run to do it');
  if (devices.length > 0 && output === undefined) lines.push(secretTable(devices));
  return lines.join('\n');
}

function importTable(devices: readonly ImportedDevice[]): string {
  const more = devices.length > SHOWN ? `\n  … and ${devices.length - SHOWN} more` : '';
  const shown = table(
    ['device', 'field', 'before', 'after'],
    devices.slice(0, SHOWN).flatMap(({ device, changes }) => {
      const rows = changes.map(({ field, from, to }) => [device, field, from ?? '–', to ?? '–']);
      return rows.length > 0 ? rows : [[device, '', '', '']];
    }),
  );
  return shown + more;
}

function toMandate(text: string): object {
  const mandate = parseMandate(text);
  if (!mandate) throw new UsageError(`--mandate: expected ${MANDATE_RULE}, not ${text}`);
  return mandate;
}

function deviceTable(devices: readonly DeviceAnswer[]): string {
  return table(
    ['device', 'label', 'group', 'weight', 'mandates'],
    devices.map(({ device, label, group, weight, mandates }) => [device, label, group, weight, mandates.length || '']),
  );
}

function traceTable({ events }: TraceAnswer): string {
  return table(
    ['time', 'event', 'detail', 'times'],
    events.map(({ at, what, detail, times }) => [at, what, detail, times > 1 ? times : '']),
  );
}

function secretTable(devices: readonly RegisteredDevice[]): string {
  return table(
    ['device', 'label', 'secret'],
    devices.map(({ device, label, secret }) => [device, label, secret]),
  );
}
