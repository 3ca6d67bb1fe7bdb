import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { Command } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import { day } from '../../core/process/tls/material.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../../core/voting/rules/text/identifier.ts';
import { action, collect, print, UsageError } from '../operator/flags.ts';
import { CertificateFolder } from './folder.ts';
import { codeText, fingerprintSheet } from './sheet.ts';

/** How long in days a certificate lasts by default. Phones refuse those of servers that last longer than 825 days. */
const DAYS = 365;
const MAX_DAYS = 825;

interface Flags {
  readonly dir: string;
  readonly days: string;
  readonly json?: boolean;
}

/** Adds `pollcast certs …`. */
export function addCerts(program: Command): void {
  const certs = program
    .command('certs')
    .description('Make certificates for TLS in a hall without internet, with an authority of your own');

  withFlags(
    certs
      .command('make')
      .description(
        'Make an authority, unless there is one, and a certificate for this machine; run it again to renew it',
      ),
  )
    .option(
      '--name <name>',
      'a further name or address of the server (repeat the flag for several); those of this machine are added',
      collect,
      [],
    )
    .action(action(make));

  withFlags(
    certs.command('device <device...>').description('Make certificates for devices, named by their ids'),
  ).action(action(makeForDevices));

  certs
    .command('revoke <device...>')
    .description('Add the certificates of devices to the revocation list (crl.pem), which servers read at once')
    .option('--dir <folder>', 'folder of the authority', 'certs')
    .option('--json', 'print JSON')
    .action(action(revoke));
}

function withFlags(command: Command): Command {
  return command
    .option('--dir <folder>', 'folder for the certificates, readable only by you', 'certs')
    .option('--days <number>', `how long they are valid, at most ${MAX_DAYS} days`, String(DAYS))
    .option('--json', 'print JSON');
}

async function make({ dir, name: more, ...flags }: Flags & { readonly name: readonly string[] }): Promise<void> {
  const days = daysOf(flags.days);
  const names = namesOfServer(more);
  const folder = new CertificateFolder(dir);
  const authority = await folder.authorityOrNew(`Pollcast ${hostname()} ${day(Date.now())}`);
  const server = await authority.forServer(names, days);
  await folder.put(server, 'server');
  const { certificate } = authority;
  const fingerprint = certificate.fingerprint256;
  const until = day(Date.parse(certificate.validTo));
  const called = certificate.subject.replace(/^CN=/, '');
  await folder.write(fingerprintSheet({ name: called, fingerprint, until }), 'fingerprint.html');
  const paths = { ca: folder.at('ca.crt'), cert: folder.at('server.crt'), key: folder.at('server.key') };
  const answer = {
    ...paths,
    crl: folder.at('crl.pem'),
    sheet: folder.at('fingerprint.html'),
    names,
    fingerprint,
    until,
  };
  print(
    flags,
    answer,
    () => `  authority    ${paths.ca}, valid until ${until}; keep ${folder.at('ca.key')} to yourself
  server       ${paths.cert} and ${paths.key}, for ${names.join(', ')}
  fingerprint  ${fingerprint}
               ${answer.sheet} is a page to print

${renderUnicodeCompact(codeText(fingerprint))}

  Start        pollcast up --tls-cert ${paths.cert} --tls-key ${paths.key}
  Devices      trust ${paths.ca}; \`pollcast certs device <device>\` makes certificates for --tls-ca ${paths.ca} --tls-crl ${answer.crl}`,
  );
}

async function makeForDevices(devices: readonly string[], { dir, ...flags }: Flags): Promise<void> {
  const days = daysOf(flags.days);
  const folder = new CertificateFolder(dir);
  const authority = await folder.authority();
  for (const device of devices) {
    if (!isIdentifier(device))
      throw new UsageError(`${JSON.stringify(device)} is not an id: expected ${IDENTIFIER_RULE}`);
    const before = await folder.certificateOf(device);
    if (before && Date.parse(before.validTo) > Date.now() && !(await folder.isRevoked(before))) {
      const path = folder.at('devices', `${device}.crt`);
      throw new UsageError(
        `${path} is valid until ${before.validTo}; to replace it, run \`pollcast certs revoke ${device}\` first`,
      );
    }
  }
  for (const device of devices) await folder.put(await authority.forDevice(device, days), 'devices', device);
  const files = devices.map((device) => folder.at('devices', `${device}.crt`));
  print(flags, { devices, files }, () =>
    files.map((file) => `  ${file} and its key (${file.replace(/crt$/, 'key')})`).join('\n'),
  );
}

async function revoke(devices: readonly string[], { dir, ...flags }: Omit<Flags, 'days'>): Promise<void> {
  const folder = new CertificateFolder(dir);
  const found = await Promise.all(
    devices.map(async (device) => {
      const certificate = isIdentifier(device) ? await folder.certificateOf(device) : undefined;
      if (!certificate) throw new UsageError(`${folder.at('devices')} has no certificate of ${JSON.stringify(device)}`);
      return certificate;
    }),
  );
  await folder.revoke(found);
  print(flags, { revoked: devices, crl: folder.at('crl.pem') }, () => {
    const list = folder.at('crl.pem');
    return `  revoked ${devices.join(', ')} in ${list}; copy it to every server that has it as POLLCAST_TLS_CRL`;
  });
}

function daysOf(text: string): number {
  const days = Number(text);
  if (!/^\d+$/.test(text) || days < 1 || days > MAX_DAYS) {
    throw new UsageError(`--days: expected a whole number from 1 to ${MAX_DAYS}, not ${text}`);
  }
  return days;
}

/** The names and addresses under which this machine can be reached, and those that were given, without duplicates. */
function namesOfServer(given: readonly string[]): [string, ...string[]] {
  const bad = given.find((name) => !isIP(name) && !/^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(name));
  if (bad !== undefined) {
    throw new UsageError(`--name: expected a host name or an IP address, such as votes.local or 10.0.0.5, not ${bad}`);
  }
  const addresses = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    // The address of a link means nothing without the name of the interface.
    .filter(({ address }) => !/^fe80:/i.test(address))
    .map(({ address }) => address);
  const own = hostname();
  const local = own.includes('.') ? [] : [`${own}.local`];
  const [first = own, ...others] = new Set([...given, own, ...local, 'localhost', ...addresses, '127.0.0.1']);
  return [first, ...others];
}
