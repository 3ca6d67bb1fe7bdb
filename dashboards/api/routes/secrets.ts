import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { ClaimAnswer, RegisteredDevice, RenewedSecret, RevokedAnswer } from '../../../client/answers.ts';
import { Claims } from '../../../core/devices/claims/claims.ts';
import type { Device } from '../../../core/devices/device.ts';
import { DeviceRegister } from '../../../core/devices/register.ts';
import { RareWarnings } from '../../../core/runtime/rare-warnings.ts';
import { Refusal } from '../../../core/runtime/refusal.ts';
import type { Context } from '../context.ts';
import {
  ClaimSchema,
  DEFAULT_GRACE_SECONDS,
  ExchangeSchema,
  RenewalSchema,
  RevocationSchema,
} from '../schemas/devices.ts';
import { DeviceParams } from '../schemas/params.ts';

/**
 * How many codes may be tried from one address per minute. With 60 random bits in a code, guessing is hopeless at this rate, and a
 * whole hall of devices behind one router gets its secrets within minutes.
 */
const EXCHANGES_PER_MINUTE = 120;
/** How many devices a record of the audit trail names. */
const MAX_NAMED = 50;
const tags = ['devices'];

/** Give devices new secrets and claim codes, and revoke many at once; operators only. Exchange a code for a secret; anybody. */
export function secretRoutes({ store, recorder, log }: Context): FastifyPluginAsyncTypebox {
  const { registry } = store;
  const register = new DeviceRegister(registry);
  const claims = new Claims(registry);
  const warnings = new RareWarnings(log.child({ part: 'claims' }));

  return async (app) => {
    app.post(
      '/api/devices/revoke',
      {
        schema: {
          summary: 'Revoke many devices: those that are listed, or a whole group',
          tags,
          body: RevocationSchema,
        },
      },
      async (request): Promise<RevokedAnswer> => {
        const { devices, group } = request.body;
        if (devices && group !== undefined) {
          throw new Refusal('invalid-request', 'give either devices or a group, not both');
        }
        const answer = await register.revokeAll(devices ?? (await idsOf(group ?? '')));
        const { revoked } = answer;
        recorder.note(request, { before: { group, revoked: revoked.length, devices: revoked.slice(0, MAX_NAMED) } });
        return answer;
      },
    );

    app.post(
      '/api/devices/:device/secret',
      {
        schema: {
          summary:
            'Give a device a new secret, which is returned only once; the old one ends when the new one is first used',
          tags,
          params: DeviceParams,
          body: RenewalSchema,
        },
      },
      async ({ params, body: { graceSeconds = DEFAULT_GRACE_SECONDS } }, reply) => {
        const { device, secret } = await register.renewSecret(params.device, graceSeconds * 1_000);
        const answer: RenewedSecret = {
          device: device.device,
          label: device.label,
          secret,
          oldSecretUntil: time(device.next?.untilMs),
        };
        return reply.code(201).send(answer);
      },
    );

    app.post(
      '/api/devices/:device/claim',
      {
        schema: {
          summary: 'Issue a claim code for a device, which is returned only once and replaces an earlier one',
          tags,
          params: DeviceParams,
          body: ClaimSchema,
        },
      },
      async ({ params, body: { expiresInSeconds } }, reply) => {
        const untilMs = expiresInSeconds === undefined ? undefined : Date.now() + expiresInSeconds * 1_000;
        const { device, code } = await claims.issue(params.device, untilMs);
        const label = (await registry.get<Device>('devices', device))?.value.label ?? null;
        const answer: ClaimAnswer = { device, label, code, expiresAt: time(untilMs) };
        return reply.code(201).send(answer);
      },
    );

    app.delete(
      '/api/devices/:device/claim',
      { schema: { summary: 'Withdraw the claim code of a device', tags, params: DeviceParams } },
      async ({ params }, reply) => {
        await claims.withdraw(params.device);
        return reply.code(204).send();
      },
    );

    app.post(
      '/api/claim',
      {
        config: { perMinute: EXCHANGES_PER_MINUTE },
        schema: {
          summary: 'Exchange a claim code for the secret of its device, once; needs no other credentials',
          tags,
          body: ExchangeSchema,
        },
      },
      async ({ ip, body: { code } }): Promise<RegisteredDevice> => {
        try {
          const { device, secret } = await claims.exchange(code);
          log.info({ device: device.device, address: ip }, 'a claim code was exchanged for a secret');
          return { device: device.device, label: device.label, secret };
        } catch (error) {
          if (error instanceof Refusal) {
            warnings.warn(error.code, { address: ip, why: error.code }, 'a claim code was refused');
          }
          throw error;
        }
      },
    );
  };

  async function idsOf(group: string): Promise<string[]> {
    const devices = await registry.list<Device>('devices');
    return devices.filter(({ value }) => value.group === group).map(({ id }) => id);
  }
}

function time(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
