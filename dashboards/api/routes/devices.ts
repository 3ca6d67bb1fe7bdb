import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { DeviceAnswer, ImportAnswer, RegisteredDevice } from '../../../client/answers.ts';
import type { Device, DeviceStatus } from '../../../core/devices/device.ts';
import { parseDeviceTable } from '../../../core/devices/device-table.ts';
import { DeviceRegister, demandValid, type NewDevice as Wanted } from '../../../core/devices/register.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import type { Context } from '../context.ts';
import { DeviceImportSchema, DevicePatchSchema, NewDeviceSchema } from '../schemas/devices.ts';
import { DeviceParams } from '../schemas/params.ts';

/** The maximum size of an import, in bytes. It is enough for 5,000 devices with labels. */
const MAX_IMPORT_BYTES = 2 * 1024 * 1024;
const tags = ['devices'];

/** Register, import, look up, change and revoke devices. Operators only. */
export function deviceRoutes({ store, operators }: Context): FastifyPluginAsyncTypebox {
  const register = new DeviceRegister(store.registry);

  return async (app) => {
    app.addHook('onRequest', operators.required);
    app.addContentTypeParser('text/csv', { parseAs: 'string' }, async (_request: unknown, text: string | Buffer) => ({
      devices: parseDeviceTable(text.toString()),
    }));

    app.post(
      '/api/devices',
      { schema: { summary: 'Register a device; its secret is returned only once', tags, body: NewDeviceSchema } },
      async ({ body }, reply) => {
        demandValid([body]);
        const secret = await register.register(body);
        if (secret === undefined) {
          const why = `device ${body.device} is already registered; revoke it first to give it a new secret`;
          throw new Refusal('device-exists', why);
        }
        const answer: RegisteredDevice = { device: body.device, label: body.label, secret };
        return reply.code(201).send(answer);
      },
    );

    app.post(
      '/api/devices/import',
      {
        bodyLimit: MAX_IMPORT_BYTES,
        schema: {
          summary: 'Register many devices at once, as JSON or CSV; existing ones are not changed',
          tags,
          body: DeviceImportSchema,
        },
      },
      async ({ body }, reply) => {
        demandValid(body.devices);
        const devices: RegisteredDevice[] = [];
        const existing: string[] = [];
        for (const wanted of body.devices) {
          const secret = await register.register(wanted);
          if (secret === undefined) existing.push(wanted.device);
          else devices.push({ device: wanted.device, label: wanted.label, secret });
        }
        const answer: ImportAnswer = { devices, existing };
        return reply.code(201).send(answer);
      },
    );

    app.get('/api/devices', { schema: { summary: 'All registered devices', tags } }, async () => {
      const devices: DeviceAnswer[] = (await register.list()).map(({ device, status }) => ({
        ...describe(device),
        ...describeStatus(status),
      }));
      return { devices };
    });

    app.patch(
      '/api/devices/:device',
      {
        schema: {
          summary: 'Change a device’s label, or its group, weight or mandates for future votes, or lend it',
          tags,
          params: DeviceParams,
          body: DevicePatchSchema,
        },
      },
      async ({ params: { device }, body }) => {
        const { lentTo, ...changes } = body;
        const settings: Partial<Omit<Wanted, 'device' | 'secret'>> = Object.fromEntries(
          Object.entries(changes).map(([field, value]) => [field, value ?? undefined]),
        );
        demandValid([{ device, ...settings }]);
        const loan = lentTo === undefined ? {} : loanOf(lentTo);
        return describe(await register.change(device, { ...settings, ...loan }));
      },
    );

    app.get(
      '/api/devices/:device',
      { schema: { summary: 'One device and its last status', tags, params: DeviceParams } },
      async ({ params: { device: id } }) => {
        const { device, status } = await register.find(id);
        return {
          registered: device !== undefined,
          ...(device ? describe(device) : { device: id, label: null, group: null, createdAt: null }),
          ...describeStatus(status),
        };
      },
    );

    app.delete(
      '/api/devices/:device',
      {
        schema: {
          summary: 'Revoke a device: it is disconnected and can no longer connect',
          tags,
          params: DeviceParams,
        },
      },
      async ({ params: { device } }, reply) => {
        await register.revoke(device);
        return reply.code(204).send();
      },
    );
  };
}

/** A device as the API returns it, without its secret. */
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
