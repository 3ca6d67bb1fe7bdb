import { appendFile, readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { csvLine } from '../../dashboards/csv.ts';
import { devicesOfTable } from '../../dashboards/device-table.ts';
import { action, Client, ClientError, type ClientFlags, print, withClientFlags } from './client.ts';
import { table } from './table.ts';

/** Devices that one request registers. */
const TOGETHER = 1_000;

interface Registered {
  readonly device: string;
  readonly label?: string;
  readonly secret: string;
}

interface AddFlags extends ClientFlags {
  readonly label?: string;
  readonly group?: string;
  readonly weight?: string;
  readonly mandate: readonly string[];
}

/** Adds `pollcast device …`. */
export function addDevice(program: Command): void {
  const device = program.command('device').description('Register devices, and take their right to vote');

  withClientFlags(device.command('list').description('All registered devices')).action(
    action(async (flags: ClientFlags) => {
      const { devices } = await (await Client.of(flags)).json('GET', '/api/devices');
      print(flags, devices, (all: { device: string; label: string; group: string; weight: string; mandates: [] }[]) =>
        table(
          ['device', 'label', 'group', 'weight', 'mandates'],
          all.map(({ device, label, group, weight, mandates }) => [
            device,
            label,
            group,
            weight,
            mandates.length || '',
          ]),
        ),
      );
    }),
  );

  withClientFlags(device.command('add <device>').description('Register a device; its secret is shown once'))
    .option('--label <text>', 'what people call it')
    .option('--group <group>', 'its team or chamber')
    .option('--weight <number>', 'what its vote weighs')
    .option('--mandate <id[=weight][@group]>', 'a vote it casts for somebody; give it once for each', collect, [])
    .action(
      action(async (id: string, flags: AddFlags) => {
        const { label, group, weight, mandate } = flags;
        const mandates = mandate.length > 0 ? mandate.map(toMandate) : undefined;
        const body = { device: id, label, group, weight, mandates };
        print(flags, (await (await Client.of(flags)).json('POST', '/api/devices', body)) as Registered, (one) =>
          secretTable([one]),
        );
      }),
    );

  withClientFlags(device.command('import <file>').description('Register the devices of a CSV or JSON file'))
    .option('-o, --output <file>', 'where their secrets go, as CSV; readable by you only')
    .action(action(importDevices));

  withClientFlags(
    device.command('revoke <device...>').description('Disconnect devices; they may not come back'),
  ).action(
    action(async (ids: readonly string[], flags: ClientFlags) => {
      const client = await Client.of(flags);
      for (const id of ids) await client.json('DELETE', `/api/devices/${encodeURIComponent(id)}`);
      print(flags, { revoked: ids }, () => `  revoked ${ids.join(', ')}`);
    }),
  );
}

async function importDevices(file: string, flags: ClientFlags & { output?: string }): Promise<void> {
  const wanted = await readDevices(file);
  const client = await Client.of(flags);
  // Secrets are answered once: where they go must be there before the first is made.
  const { output } = flags;
  if (output !== undefined) await writeFile(output, csvLine(['device', 'secret']), { mode: 0o600, flag: 'wx' });
  const devices: Registered[] = [];
  const existing: string[] = [];
  for (let at = 0; at < wanted.length; at += TOGETHER) {
    const answer = await client.json('POST', '/api/devices/import', { devices: wanted.slice(at, at + TOGETHER) });
    devices.push(...answer.devices);
    existing.push(...answer.existing);
    const lines = (answer.devices as Registered[]).map(({ device, secret }) => csvLine([device, secret]));
    if (output !== undefined) await appendFile(output, lines.join(''));
    process.stderr.write(`  ${Math.min(at + TOGETHER, wanted.length)}/${wanted.length}\r`);
  }
  process.stderr.write('\n');
  print(flags, { devices, existing }, () => {
    const known = existing.length > 0 ? `\n  ${existing.length} were registered already and stay as they are` : '';
    if (output !== undefined) return `  ${devices.length} registered, secrets in ${output}${known}`;
    return secretTable(devices) + known;
  });
}

/** Devices of a file: JSON as the API takes it, or CSV with a line that names the columns. */
async function readDevices(file: string): Promise<object[]> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new ClientError(`${file}: cannot be read (${error.message})`);
  });
  try {
    if (/^\s*[[{]/.test(text)) {
      const content = JSON.parse(text);
      return Array.isArray(content) ? content : content.devices;
    }
    return devicesOfTable(text);
  } catch (error) {
    throw new ClientError(`${file}: ${(error as Error).message}`);
  }
}

function toMandate(text: string): object {
  const [, mandate, weight, group] = /^([^=@]+)(?:=([^@]+))?(?:@(.+))?$/.exec(text) ?? [];
  if (mandate === undefined) throw new ClientError(`--mandate: expected id, id=weight or id=weight@group, not ${text}`);
  return { mandate, weight, group };
}

function secretTable(devices: readonly Registered[]): string {
  return table(
    ['device', 'label', 'secret'],
    devices.map(({ device, label, secret }) => [device, label, secret]),
  );
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
