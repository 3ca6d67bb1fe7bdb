import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import type { Device, DeviceStatus } from '../../core/devices/device.ts';
import { isGuestId } from '../../core/devices/guest.ts';
import { hashSecret, MIN_SECRET_LENGTH, newSecret } from '../../core/devices/secret.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../../core/voting/identifier.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem.ts';
import { DeviceImport, DeviceParams, NewDevice } from '../schemas.ts';

type Wanted = Static<typeof NewDevice>;

/** The largest import, bytes: 5,000 devices with labels. */
const MAX_IMPORT_BYTES = 2 * 1024 * 1024;

/** Register, import, look up and revoke devices. Operators only. */
export function deviceRoutes({ store, operators }: Context): FastifyPluginAsyncTypebox {
  const { registry } = store;

  return async (app) => {
    app.addHook('onRequest', operators.required);

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
          summary: 'Register many devices at once; those that exist stay as they are',
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

    app.get(
      '/api/devices/:device',
      { schema: { summary: 'One device and its last status', tags: ['devices'], params: DeviceParams } },
      async ({ params: { device } }) => {
        const kept = await registry.get<Device>('devices', device);
        const status = await registry.get<DeviceStatus>('statuses', device);
        if (!kept && !status) throw new Problem(404, 'no-such-device', `there is no device ${JSON.stringify(device)}`);
        return {
          device,
          registered: kept !== undefined,
          label: kept?.value.label ?? null,
          group: kept?.value.group ?? null,
          createdAt: kept ? new Date(kept.value.createdAtMs).toISOString() : null,
          status: status?.value.status ?? null,
          statusAt: status ? new Date(status.value.atMs).toISOString() : null,
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
  async function register({ device, label, group, secret = newSecret() }: Wanted): Promise<string | undefined> {
    const kept: Device = { device, label, group, ...hashSecret(secret), createdAtMs: Date.now() };
    return (await registry.put('devices', device, kept, 0)) === undefined ? undefined : secret;
  }
}

function refuseBad(devices: readonly Wanted[]): void {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [i, { device, group, secret }] of devices.entries()) {
    const at = devices.length === 1 ? '' : `devices[${i}].`;
    if (!isIdentifier(device)) problems.push(`${at}device: must be ${IDENTIFIER_RULE}`);
    else if (isGuestId(device)) problems.push(`${at}device: ids that begin with "guest-" are for guests`);
    if (group !== undefined && !isIdentifier(group)) problems.push(`${at}group: must be ${IDENTIFIER_RULE}`);
    if (seen.has(device)) problems.push(`${at}device: ${JSON.stringify(device)} is there twice`);
    seen.add(device);
    if (secret !== undefined && secret.length < MIN_SECRET_LENGTH) {
      problems.push(`${at}secret: at least ${MIN_SECRET_LENGTH} characters, or leave it out and one is made`);
    }
  }
  if (problems.length > 0)
    throw new Problem(400, 'bad-devices', `${problems.length} to mend; nothing was registered`, problems);
}
