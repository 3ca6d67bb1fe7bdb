import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import type { Device, DeviceStatus } from '../../core/devices/device.ts';
import { isGuestId } from '../../core/devices/guest.ts';
import { hashSecret, MIN_SECRET_LENGTH, newSecret } from '../../core/devices/secret.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../../core/voting/identifier.ts';
import { parseWeight, WEIGHT_RULE } from '../../core/voting/weight.ts';
import type { Context } from '../context.ts';
import { devicesOfTable } from '../device-table.ts';
import { Problem } from '../problem.ts';
import { DeviceImport, DeviceParams, DevicePatch, NewDevice } from '../schemas.ts';

type Wanted = Static<typeof NewDevice>;

/** The largest import, bytes: 5,000 devices with labels. */
const MAX_IMPORT_BYTES = 2 * 1024 * 1024;

/** Register, import, look up and revoke devices. Operators only. */
export function deviceRoutes({ store, operators }: Context): FastifyPluginAsyncTypebox {
  const { registry } = store;

  return async (app) => {
    app.addHook('onRequest', operators.required);
    app.addContentTypeParser('text/csv', { parseAs: 'string' }, async (_request: unknown, text: string | Buffer) => ({
      devices: devicesOfTable(text.toString()),
    }));

    app.post(
      '/api/devices',
      { schema: { summary: 'Register a device; its secret is answered once', tags: ['devices'], body: NewDevice } },
      async ({ body }, reply) => {
        refuseBad([body]);
        const secret = await register(body);
        if (secret === undefined) {
          throw new Problem(
            409,
            'device-exists',
            `device ${body.device} is registered already; revoke it first to give it a new secret`,
          );
        }
        return reply.code(201).send({ device: body.device, label: body.label, secret });
      },
    );

    app.post(
      '/api/devices/import',
      {
        bodyLimit: MAX_IMPORT_BYTES,
        schema: {
          summary: 'Register many devices at once, as JSON or as CSV; those that exist stay as they are',
          tags: ['devices'],
          body: DeviceImport,
        },
      },
      async ({ body }, reply) => {
        refuseBad(body.devices);
        const devices = [];
        const existing = [];
        for (const wanted of body.devices) {
          const secret = await register(wanted);
          if (secret === undefined) existing.push(wanted.device);
          else devices.push({ device: wanted.device, label: wanted.label, secret });
        }
        return reply.code(201).send({ devices, existing });
      },
    );

    app.get('/api/devices', { schema: { summary: 'All registered devices', tags: ['devices'] } }, async () => {
      const all = await registry.list<Device>('devices');
      const statuses = new Map((await registry.list<DeviceStatus>('statuses')).map(({ id, value }) => [id, value]));
      return {
        devices: all
          .map(({ id, value }) => ({ ...describe(value), ...describeStatus(statuses.get(id)) }))
          .sort((a, b) => (a.device < b.device ? -1 : 1)),
      };
    });

    app.patch(
      '/api/devices/:device',
      {
        schema: {
          summary: 'Change a device’s label, group, weight or mandates (votes from now on count so), or lend it',
          tags: ['devices'],
          params: DeviceParams,
          body: DevicePatch,
        },
      },
      async ({ params: { device }, body }) => {
        const { lentTo, ...asked } = body;
        const settings = Object.fromEntries(
          Object.entries(asked).map(([field, value]) => [field, value ?? undefined]),
        ) as Partial<Omit<Wanted, 'device' | 'secret'>>;
        refuseBad([{ device, ...settings }]);
        const loan = lentTo === undefined ? {} : loanOf(lentTo);
        for (;;) {
          const kept = await registry.get<Device>('devices', device);
          if (!kept) throw new Problem(404, 'no-such-device', `there is no device ${JSON.stringify(device)}`);
          const changed = { ...kept.value, ...settings, ...loan };
          if (await registry.put('devices', device, changed, kept.version)) return describe(changed);
        }
      },
    );

    app.get(
      '/api/devices/:device',
      { schema: { summary: 'One device and its last status', tags: ['devices'], params: DeviceParams } },
      async ({ params: { device } }) => {
        const kept = await registry.get<Device>('devices', device);
        const status = await registry.get<DeviceStatus>('statuses', device);
        if (!kept && !status) throw new Problem(404, 'no-such-device', `there is no device ${JSON.stringify(device)}`);
        return {
          registered: kept !== undefined,
          ...(kept ? describe(kept.value) : { device, label: null, group: null, createdAt: null }),
          ...describeStatus(status?.value),
        };
      },
    );

    app.delete(
      '/api/devices/:device',
      {
        schema: {
          summary: 'Revoke a device: it is disconnected and may not come back',
          tags: ['devices'],
          params: DeviceParams,
        },
      },
      async ({ params: { device } }, reply) => {
        if (!(await registry.get('devices', device))) {
          throw new Problem(404, 'no-such-device', `there is no device ${JSON.stringify(device)}`);
        }
        await registry.remove('devices', device);
        await registry.remove('statuses', device);
        return reply.code(204).send();
      },
    );
  };

  /** Stores a device and returns its secret; undefined when it exists. */
  async function register({ secret = newSecret(), ...wanted }: Wanted): Promise<string | undefined> {
    const kept: Device = { ...wanted, ...hashSecret(secret), createdAtMs: Date.now() };
    return (await registry.put('devices', wanted.device, kept, 0)) === undefined ? undefined : secret;
  }
}

/** A device as the API shows it: never its secret. */
function describe({ device, label, group, weight, mandates, lentTo, lentAtMs, createdAtMs }: Device) {
  const standing = { label: label ?? null, group: group ?? null, weight: weight ?? '1', mandates: mandates ?? [] };
  const loan = { lentTo: lentTo ?? null, lentAt: time(lentAtMs) };
  return { device, ...standing, ...loan, createdAt: time(createdAtMs) };
}

function describeStatus({ status, atMs, seenAtMs }: DeviceStatus = {}) {
  return { status: status ?? null, statusAt: time(atMs), seenAt: time(seenAtMs ?? atMs) };
}

function time(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function loanOf(lentTo: string | null): Pick<Device, 'lentTo' | 'lentAtMs'> {
  return lentTo === null ? { lentTo: undefined, lentAtMs: undefined } : { lentTo, lentAtMs: Date.now() };
}

function refuseBad(devices: readonly Wanted[]): void {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [i, { device, group, weight, mandates = [], secret }] of devices.entries()) {
    const at = devices.length === 1 ? '' : `devices[${i}].`;
    if (!isIdentifier(device)) problems.push(`${at}device: must be ${IDENTIFIER_RULE}`);
    else if (isGuestId(device)) problems.push(`${at}device: ids that begin with "guest-" are for guests`);
    if (group !== undefined && !isIdentifier(group)) problems.push(`${at}group: must be ${IDENTIFIER_RULE}`);
    if (weight !== undefined && weight !== '0' && parseWeight(weight) === undefined) {
      problems.push(`${at}weight: must be ${WEIGHT_RULE}; or 0 for a device that only carries mandates`);
    }
    problems.push(...mandates.flatMap((mandate, m) => mandateProblems(mandate, `${at}mandates[${m}].`)));
    if (new Set(mandates.map(({ mandate }) => mandate)).size < mandates.length) {
      problems.push(`${at}mandates: one is there twice`);
    }
    if (seen.has(device)) problems.push(`${at}device: ${JSON.stringify(device)} is there twice`);
    seen.add(device);
    if (secret !== undefined && secret.length < MIN_SECRET_LENGTH) {
      problems.push(`${at}secret: at least ${MIN_SECRET_LENGTH} characters, or leave it out and one is made`);
    }
  }
  if (problems.length > 0)
    throw new Problem(400, 'bad-devices', `${problems.length} to mend; nothing was registered`, problems);
}

function mandateProblems({ mandate, weight, group }: NonNullable<Wanted['mandates']>[number], at: string): string[] {
  const problems: string[] = [];
  if (!isIdentifier(mandate)) problems.push(`${at}mandate: must be ${IDENTIFIER_RULE}`);
  if (group !== undefined && !isIdentifier(group)) problems.push(`${at}group: must be ${IDENTIFIER_RULE}`);
  if (weight !== undefined && parseWeight(weight) === undefined) problems.push(`${at}weight: must be ${WEIGHT_RULE}`);
  return problems;
}
