import { appendFile, readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ClaimAnswer, RefusedDevice } from '../../../client/answers.ts';
import type { ApiClient } from '../../../client/api.ts';
import { csvRows } from '../../../core/runtime/csv.ts';
import { action, type ClientFlags, clientOf, print, UsageError, withClientFlags } from '../flags.ts';
import { table } from '../table.ts';

const DAY_SECONDS = 86_400;
/** For how many devices codes are issued or withdrawn at a time. */
const TOGETHER = 50;

interface ChoiceFlags extends ClientFlags {
  readonly group?: string;
}

interface RevokeFlags extends ChoiceFlags {
  readonly file?: string;
}

interface ClaimFlags extends ChoiceFlags {
  readonly days?: string;
  readonly output?: string;
  readonly withdraw?: boolean;
}

/** Adds the commands about the secrets of devices: `secret`, `claim` and `revoke`. */
export function addDeviceSecrets(device: Command): void {
  withClientFlags(
    device
      .command('secret <device>')
      .description('Give a device a new secret; the old one works until the new one is first used, for a week at most'),
  )
    .option('--grace <seconds>', 'how long the old secret works at most')
    .option('--now', 'end the old secret now, and disconnect what uses it')
    .action(action(renew));

  withClientFlags(
    device
      .command('claim [device...]')
      .description('Issue codes to print on devices, each of which is exchanged once for the secret of its device'),
  )
    .option('--group <group>', 'all devices of this group')
    .option('--days <number>', 'how long a code can be used; default: until it is used')
    .option('-o, --output <file>', 'CSV file for the codes, readable only by you')
    .option('--withdraw', 'withdraw the codes of these devices instead')
    .action(action(claim));

  withClientFlags(
    device.command('revoke [device...]').description('Disconnect devices and keep them from reconnecting'),
  )
    .option('--group <group>', 'all devices of this group')
    .option('--file <file>', 'the devices in this file, one in each line')
    .action(action(revoke));
}

async function renew(
  id: string,
  { grace, now = false, ...flags }: ClientFlags & { readonly grace?: string; readonly now?: boolean },
): Promise<void> {
  if (now && grace !== undefined) throw new UsageError('give either --grace or --now');
  const seconds = now ? 0 : grace === undefined ? undefined : wholeOf('--grace', grace);
  const answer = await (await clientOf(flags)).renewSecret(id, seconds);
  print(flags, answer, ({ device, secret, oldSecretUntil }) => {
    const old = oldSecretUntil === null ? 'has ended' : `works until this one is used, at most until ${oldSecretUntil}`;
    return `${table(['device', 'secret'], [[device, secret]])}\n  the old secret ${old}`;
  });
}

async function claim(
  ids: readonly string[],
  { group, days, output, withdraw = false, ...flags }: ClaimFlags,
): Promise<boolean> {
  const seconds = days === undefined ? undefined : wholeOf('--days', days) * DAY_SECONDS;
  const client = await clientOf(flags);
  const wanted = await chosen(client, ids, group);
  if (withdraw) return withdrawAll(client, wanted, flags);
  // Codes are returned only once, so their file must exist before the first one is issued.
  if (output !== undefined)
    await writeFile(output, csvRows([['device', 'label', 'code', 'expires']]), { mode: 0o600, flag: 'wx' });
  const claims: ClaimAnswer[] = [];
  const refused: RefusedDevice[] = [];
  let failure: unknown;
  for (const some of partsOf(wanted)) {
    // The codes from before are returned only once, so they are printed in any case.
    const answer = await client.issueClaims(some, seconds).catch((error: unknown) => {
      failure = error;
    });
    if (!answer) break;
    const rows = answer.claims.map((one) => [one.device, one.label ?? '', one.code, one.expiresAt ?? '']);
    if (output !== undefined && rows.length > 0) await appendFile(output, csvRows(rows));
    claims.push(...answer.claims);
    refused.push(...answer.refused);
    if (answer.refused.some(hasEnded)) break;
  }
  const shown = output === undefined ? claims : [];
  print(flags, { claims: shown, issued: claims.length, refused }, () => {
    if (output !== undefined) return [`  ${claims.length} codes in ${output}`, ...refused.map(lineOf)].join('\n');
    const rows = claims.map(({ device, label, code, expiresAt }) => [
      device,
      label,
      code,
      expiresAt ?? 'when it is used',
    ]);
    return [table(['device', 'label', 'code', 'expires'], rows), ...refused.map(lineOf)].join('\n');
  });
  if (failure !== undefined) throw failure;
  return refused.length === 0;
}

async function withdrawAll(client: ApiClient, wanted: readonly string[], flags: ClientFlags): Promise<boolean> {
  const withdrawn: string[] = [];
  const none: string[] = [];
  const refused: RefusedDevice[] = [];
  for (const some of partsOf(wanted)) {
    const answer = await client.withdrawClaims(some);
    withdrawn.push(...answer.withdrawn);
    none.push(...answer.none);
    refused.push(...answer.refused);
    if (answer.refused.some(hasEnded)) break;
  }
  print(flags, { withdrawn, none, refused }, () => {
    const had = none.length > 0 ? `; ${none.length} had none` : '';
    return [`  withdrew the codes of ${withdrawn.length} devices${had}`, ...refused.map(lineOf)].join('\n');
  });
  return refused.length === 0;
}

async function revoke(ids: readonly string[], { group, file, ...flags }: RevokeFlags): Promise<boolean> {
  const listed = file === undefined ? [] : await idsIn(file);
  const all = [...ids, ...listed];
  if (group !== undefined && (all.length > 0 || file !== undefined))
    throw new UsageError('give either devices or --group');
  if (group === undefined && all.length === 0) throw new UsageError('name the devices, or give --group or --file');
  const answer = await (await clientOf(flags)).revokeDevices(group === undefined ? { devices: all } : { group });
  const { revoked, unknown, refused = [] } = answer;
  print(flags, answer, () => {
    const lines =
      revoked.length > 20 ? [`  revoked ${revoked.length} devices`] : [`  revoked ${revoked.join(', ') || 'none'}`];
    if (unknown.length > 0) lines.push(`  not registered: ${unknown.join(', ')}`);
    return [...lines, ...refused.map(lineOf)].join('\n');
  });
  return unknown.length + refused.length === 0;
}

/** The devices that are named, or those of a group. @throws UsageError if there is neither, or both */
async function chosen(
  client: ApiClient,
  ids: readonly string[],
  group: string | undefined,
): Promise<readonly string[]> {
  if ((group === undefined) === (ids.length === 0)) throw new UsageError('name the devices, or give --group');
  if (group === undefined) return ids;
  return (await client.devices()).filter((device) => device.group === group).map(({ device }) => device);
}

function partsOf(ids: readonly string[]): (readonly string[])[] {
  return Array.from({ length: Math.ceil(ids.length / TOGETHER) }, (_, i) =>
    ids.slice(i * TOGETHER, (i + 1) * TOGETHER),
  );
}

/** True if a request ended before it came to all devices: the next one would hardly do better. */
function hasEnded({ code }: RefusedDevice): boolean {
  return code === 'unknown' || code === 'not-begun' || code === 'store-refuses';
}

function lineOf({ device, why }: RefusedDevice): string {
  return `  ${device}: ${why}`;
}

async function idsIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new UsageError(`${file}: cannot be read (${error.message})`);
  });
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function wholeOf(flag: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`${flag}: expected a whole number, not ${text}`);
  return Number(text);
}
