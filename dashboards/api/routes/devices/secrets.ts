import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type {
  ClaimAnswer,
  ClaimsAnswer,
  RefusedDevice,
  RegisteredDevice,
  RenewedSecret,
  RenewedSecrets,
  RevokedAnswer,
} from '../../../../client/answers.ts';
import { Claims } from '../../../../core/devices/claims/claims.ts';
import type { Device } from '../../../../core/devices/device.ts';
import { DeviceRegister } from '../../../../core/devices/register.ts';
import { RareWarnings } from '../../../../core/runtime/rare-warnings.ts';
import { Refusal } from '../../../../core/runtime/refusal.ts';
import type { Context } from '../../context.ts';
import {
  ClaimSchema,
  ClaimsSchema,
  DEFAULT_GRACE_SECONDS,
  ExchangeSchema,
  RenewalSchema,
  RenewalsSchema,
  RevocationSchema,
} from '../../schemas/devices.ts';
import { DeviceParams } from '../../schemas/params.ts';
import { MAX_IMPORT_BYTES } from './devices.ts';

/**
 * How many codes may be tried from one address per minute. With 60 random bits in a code, guessing is hopeless at this rate, and a
 * whole hall of devices behind one router gets its secrets within minutes.
 */
const EXCHANGES_PER_MINUTE = 120;
/** How many devices a record of the audit trail names. */
const MAX_NAMED = 50;
/** How many of the devices of one request get a code or a secret at a time: hashing codes must not take all threads. */
const TOGETHER = 2;
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
        // As many ids as an import may have.
        bodyLimit: MAX_IMPORT_BYTES,
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
      async ({ params, body: { graceSeconds = DEFAULT_GRACE_SECONDS } }, reply) =>
        reply.code(201).send(await renew(params.device, graceSeconds)),
    );

    app.post(
      '/api/devices/secrets',
      {
        schema: {
          summary:
            'Give many devices new secrets, which are returned only once; each old one ends as for a single device',
          tags,
          body: RenewalsSchema,
        },
      },
      async (request, reply) => {
        const { devices, graceSeconds = DEFAULT_GRACE_SECONDS } = request.body;
        const { done: secrets, refused } = await forEach(devices, (device) => renew(device, graceSeconds));
        note(request, 'renewed', secrets);
        const answer: RenewedSecrets = { secrets, refused };
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
      async ({ params, body: { expiresInSeconds } }, reply) =>
        reply.code(201).send(await issue(params.device, endOf(expiresInSeconds))),
    );

    app.post(
      '/api/devices/claims',
      {
        schema: {
          summary: 'Issue claim codes for many devices, which are returned only once and replace earlier ones',
          tags,
          body: ClaimsSchema,
        },
      },
      async (request, reply) => {
        const untilMs = endOf(request.body.expiresInSeconds);
        const { done, refused } = await forEach(request.body.devices, (device) => issue(device, untilMs));
        note(request, 'issued', done);
        const answer: ClaimsAnswer = { claims: done, refused };
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

  async function renew(id: string, graceSeconds: number): Promise<RenewedSecret> {
    const { device, secret } = await register.renewSecret(id, graceSeconds * 1_000);
    return { device: device.device, label: device.label, secret, oldSecretUntil: time(device.next?.untilMs) };
  }

  async function issue(id: string, untilMs: number | undefined): Promise<ClaimAnswer> {
    const { device, label, code } = await claims.issue(id, untilMs);
    return { device, label: label ?? null, code, expiresAt: time(untilMs) };
  }

  /** Records for how many devices something was done, and for which ones. */
  function note(request: FastifyRequest, what: string, done: readonly { readonly device: string }[]): void {
    const devices = done.slice(0, MAX_NAMED).map(({ device }) => device);
    recorder.note(request, { after: { [what]: done.length, devices } });
  }

  async function idsOf(group: string): Promise<string[]> {
    const devices = await registry.list<Device>('devices');
    return devices.filter(({ value }) => value.group === group).map(({ id }) => id);
  }
}

/** Does something for each device. A device for which it is refused does not keep the others from it. */
async function forEach<Done>(
  devices: readonly string[],
  work: (device: string) => Promise<Done>,
): Promise<{ readonly done: Done[]; readonly refused: RefusedDevice[] }> {
  const outcomes: { done?: Done; refused?: RefusedDevice }[] = [];
  const waiting = [...new Set(devices)].entries();
  const worker = async () => {
    for (const [i, device] of waiting) {
      try {
        outcomes[i] = { done: await work(device) };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        outcomes[i] = { refused: { device, code: error.code, why: error.message } };
      }
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, worker));
  return {
    done: outcomes.flatMap(({ done }) => done ?? []),
    refused: outcomes.flatMap(({ refused }) => refused ?? []),
  };
}

/** The end of a time that begins now, in ms since 1970; undefined: never. */
function endOf(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Date.now() + seconds * 1_000;
}

function time(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
