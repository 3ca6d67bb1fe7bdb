import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { DeviceAnswer, ImportAnswer, RegisteredDevice, TraceAnswer } from '../../../../client/answers.ts';
import { demandValid } from '../../../../core/devices/check.ts';
import { type Device, type DeviceStatus, MAX_LABEL_LENGTH } from '../../../../core/devices/device.ts';
import { hasOtherSecret, type PlannedDevice } from '../../../../core/devices/import/plan.ts';
import { type DeviceTable, readDeviceTable } from '../../../../core/devices/import/table.ts';
import { DeviceRegister, type NewDevice as Wanted } from '../../../../core/devices/register.ts';
import { Refusal } from '../../../../core/runtime/refusal.ts';
import { textProblems } from '../../../../core/voting/rules/text/printable.ts';
import type { Context } from '../../context.ts';
import { DeviceImportSchema, DevicePatchSchema, ImportQuery, NewDeviceSchema } from '../../schemas/devices.ts';
import { DeviceParams } from '../../schemas/params.ts';

/** The maximum size of an import, in bytes. It is enough for 5,000 devices with labels and mandates, even in UTF-16. */
export const MAX_IMPORT_BYTES = 4 * 1024 * 1024;
/** How often an import is planned again because a device was changed at the same time. */
const MAX_TRIES = 3;
const tags = ['devices'];

/** Register, import, look up, change and revoke devices. Operators only. */
export function deviceRoutes({ store, recorder }: Context): FastifyPluginAsyncTypebox {
  const register = new DeviceRegister(store.registry);

  return async (app) => {
    const tables = new WeakMap<object, DeviceTable>();
    // The bytes are needed, because spreadsheets save CSV in several encodings.
    app.addContentTypeParser('text/csv', { parseAs: 'buffer' }, async (request: object, bytes: string | Buffer) => {
      const table = readDeviceTable(Buffer.from(bytes));
      tables.set(request, table);
      return { devices: table.devices };
    });

    app.post(
      '/api/devices',
      { schema: { summary: 'Register a device; its secret is returned only once', tags, body: NewDeviceSchema } },
      async (request, reply) => {
        const { body } = request;
        const { secret: _, ...known } = body;
        recorder.note(request, { target: `device/${body.device}`, after: known });
        demandValid([body]);
        const secret = await register.register(body);
        if (secret === undefined) {
          const why = `device ${body.device} is already registered; POST /api/devices/${body.device}/secret gives it a new secret`;
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
          summary:
            'Register and change many devices at once, as JSON or as CSV from a spreadsheet; with dryRun, only say what would change',
          tags,
          querystring: ImportQuery,
          body: DeviceImportSchema,
        },
      },
      async (request, reply) => {
        const { dryRun = false } = request.query;
        const { devices: wanted } = request.body;
        const table = tables.get(request);
        demandValid(wanted, table?.rows);
        recorder.note(request, { after: { dryRun }, devices: wanted.map(({ device }) => device) });
        for (let tries = 1; ; tries++) {
          const plans = await register.plan(wanted);
          demandSameSecrets(plans, table?.rows);
          const secrets = dryRun ? new Map<string, string>() : await register.carryOut(plans);
          if (secrets) {
            const answer = importAnswer(plans, secrets, dryRun, table);
            const [added, changed] = [answer.added.length, answer.changed.length];
            const devices = dryRun ? undefined : [...answer.added, ...answer.changed].map(({ device }) => device);
            recorder.note(request, { after: { dryRun, added, changed }, devices });
            return reply.code(dryRun ? 200 : 201).send(answer);
          }
          if (tries >= MAX_TRIES) {
            throw new Refusal(
              'devices-changed',
              'some of these devices were changed at the same time; import them again',
            );
          }
        }
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
      async (request) => {
        const {
          params: { device },
          body,
        } = request;
        const { lentTo, ...changes } = body;
        const settings: Partial<Omit<Wanted, 'device' | 'secret'>> = Object.fromEntries(
          Object.entries(changes).map(([field, value]) => [field, value ?? undefined]),
        );
        demandValid([{ device, ...settings }]);
        if (lentTo) demandPrintable(lentTo);
        const loan = lentTo === undefined ? {} : loanOf(lentTo);
        const { before, after } = await register.change(device, { ...settings, ...loan });
        const fields = [...Object.keys(body), ...(lentTo === undefined ? [] : ['lentAt'])];
        recorder.note(request, {
          ...{ before: pick(describe(before), fields), after: pick(describe(after), fields) },
          isOneWrite: true,
        });
        return describe(after);
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

    app.get(
      '/api/devices/:device/trace',
      {
        schema: {
          summary: 'The last events of a device’s connections, registered or not: why it was refused, when it voted',
          tags,
          params: DeviceParams,
        },
      },
      async ({ params: { device } }): Promise<TraceAnswer> => {
        const events = await store.trails.of(device);
        return {
          device,
          events: events.map(({ atMs, what, detail, times = 1 }) => ({
            at: new Date(atMs).toISOString(),
            what,
            detail: detail ?? null,
            times,
          })),
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
      async (request, reply) => {
        const { device } = request.params;
        const { label, group, weight } = describe(await register.revoke(device));
        recorder.note(request, { before: { label, group, weight } });
        return reply.code(204).send();
      },
    );
  };
}

/** @throws Refusal bad-devices if the import names another secret for a registered device */
function demandSameSecrets(plans: readonly PlannedDevice[], rows: readonly number[] | undefined): void {
  const problems = plans.flatMap((plan, i) => {
    if (!hasOtherSecret(plan)) return [];
    const place = rows ? `row ${rows[i]}: ` : `devices[${i}].`;
    return [`${place}secret: device ${plan.device} already has another secret; revoke it first to give it a new one`];
  });
  if (problems.length > 0)
    throw new Refusal('bad-devices', 'some devices already have a secret; nothing was changed', problems);
}

function importAnswer(
  plans: readonly PlannedDevice[],
  secrets: ReadonlyMap<string, string>,
  dryRun: boolean,
  table: DeviceTable | undefined,
): ImportAnswer {
  const known = plans.filter(({ before }) => before !== undefined);
  const described = (some: readonly PlannedDevice[]) => some.map(({ device, changes }) => ({ device, changes }));
  return {
    dryRun,
    devices: plans.flatMap(({ device, settings: { label } }) => {
      const secret = secrets.get(device);
      return secret === undefined ? [] : [{ device, label, secret }];
    }),
    existing: known.map(({ device }) => device),
    added: described(plans.filter(({ before }) => before === undefined)),
    changed: described(known.filter(({ changes }) => changes.length > 0)),
    unchanged: known.filter(({ changes }) => changes.length === 0).map(({ device }) => device),
    table: table
      ? { encoding: table.encoding, separator: table.separator, ignoredColumns: table.ignoredColumns }
      : null,
  };
}

/** @throws Refusal bad-devices if the name cannot be shown */
function demandPrintable(lentTo: string): void {
  const problems = textProblems('lentTo', lentTo, MAX_LABEL_LENGTH);
  if (problems.length > 0) throw new Refusal('bad-devices', '1 problem; nothing was changed', problems);
}

/** A device as the API returns it, without its secret. */
function describe(one: Device) {
  const { device, label, group, weight, mandates, lentTo, lentAtMs, createdAtMs, next, claim, claimedAtMs } = one;
  const standing = { label: label ?? null, group: group ?? null, weight: weight ?? '1', mandates: mandates ?? [] };
  const loan = { lentTo: lentTo ?? null, lentAt: time(lentAtMs) };
  const secrets = { oldSecretUntil: time(next?.untilMs), claim: claim ? { expiresAt: time(claim.untilMs) } : null };
  return { device, ...standing, ...loan, ...secrets, claimedAt: time(claimedAtMs), createdAt: time(createdAtMs) };
}

/** Some of an object’s fields. */
function pick(all: object, fields: readonly string[]): object {
  return Object.fromEntries(Object.entries(all).filter(([field]) => fields.includes(field)));
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
