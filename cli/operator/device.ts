import { appendFile, readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { DeviceAnswer, RegisteredDevice } from '../../client/answers.ts';
import { parseDeviceTable } from '../../core/devices/device-table.ts';
import { csvRows } from '../../core/runtime/csv.ts';
import { action, type ClientFlags, clientOf, collect, print, UsageError, withClientFlags } from './flags.ts';
import { table } from './table.ts';

/** The number of devices per import request. */
const TOGETHER = 1_000;

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

  withClientFlags(device.command('import <file>').description('Register the devices in a CSV or JSON file'))
    .option('-o, --output <file>', 'CSV file for their secrets, readable only by you')
    .action(action(importDevices));

  withClientFlags(
    device.command('revoke <device...>').description('Disconnect devices and keep them from reconnecting'),
  ).action(
    action(async (ids: readonly string[], flags: ClientFlags) => {
      const client = await clientOf(flags);
      for (const id of ids) await client.revokeDevice(id);
      print(flags, { revoked: ids }, () => `  revoked ${ids.join(', ')}`);
    }),
  );
}

async function importDevices(file: string, { output, ...flags }: ClientFlags & { output?: string }): Promise<void> {
  const wanted = await readDevices(file);
  const client = await clientOf(flags);
  // Secrets are returned only once, so their file must exist before the first secret is generated.
  if (output !== undefined) await writeFile(output, csvRows([['device', 'secret']]), { mode: 0o600, flag: 'wx' });
  const devices: RegisteredDevice[] = [];
  const existing: string[] = [];
  for (let at = 0; at < wanted.length; at += TOGETHER) {
    const answer = await client.importDevices({ devices: wanted.slice(at, at + TOGETHER) });
    devices.push(...answer.devices);
    existing.push(...answer.existing);
    if (output !== undefined) {
      await appendFile(output, csvRows(answer.devices.map(({ device, secret }) => [device, secret])));
    }
    process.stderr.write(`  ${Math.min(at + TOGETHER, wanted.length)}/${wanted.length}\r`);
  }
  process.stderr.write('\n');
  print(flags, { devices, existing }, () => {
    const known = existing.length > 0 ? `\n  ${existing.length} were already registered and have not been changed` : '';
    if (output !== undefined) return `  ${devices.length} registered, secrets in ${output}${known}`;
    return secretTable(devices) + known;
  });
}

/** Reads devices from a file: JSON in the form that the API accepts, or CSV with column names in the first line. */
async function readDevices(file: string): Promise<object[]> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new UsageError(`${file}: cannot be read (${error.message})`);
  });
  try {
    if (/^\s*[[{]/.test(text)) {
      const content = JSON.parse(text);
      return Array.isArray(content) ? content : content.devices;
    }
    return parseDeviceTable(text);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

function toMandate(text: string): object {
  const [, mandate, weight, group] = /^([^=@]+)(?:=([^@]+))?(?:@(.+))?$/.exec(text) ?? [];
  if (mandate === undefined)
    throw new UsageError(`--mandate: expected id, id=weight, id@group or id=weight@group, not ${text}`);
  return { mandate, weight, group };
}

function deviceTable(devices: readonly DeviceAnswer[]): string {
  return table(
    ['device', 'label', 'group', 'weight', 'mandates'],
    devices.map(({ device, label, group, weight, mandates }) => [device, label, group, weight, mandates.length || '']),
  );
}

function secretTable(devices: readonly RegisteredDevice[]): string {
  return table(
    ['device', 'label', 'secret'],
    devices.map(({ device, label, secret }) => [device, label, secret]),
  );
}
