import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type {
  ClaimAnswer,
  ClaimsAnswer,
  RefusedDevice,
  RegisteredDevice,
  RenewedSecret,
  RenewedSecrets,
  RevokedAnswer,
  WithdrawnClaims,
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
  WithdrawalsSchema,
} from '../../schemas/devices.ts';
import { DeviceParams } from '../../schemas/params.ts';
import { MAX_IMPORT_BYTES } from './devices.ts';
import { forEach, isOver, leftOf } from './together.ts';

/**
 * How many codes may be tried from one address per minute. With 60 random bits in a code, guessing is hopeless at this rate, and a
 * whole hall of devices behind one router gets its secrets within minutes.
 */
const EXCHANGES_PER_MINUTE = 120;
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
      async (request, reply): Promise<RevokedAnswer> => {
        const { devices, group } = request.body;
        if (devices && group !== undefined) {
          throw new Refusal('invalid-request', 'give either devices or a group, not both');
        }
        const ids = devices ?? (await idsOf(group ?? ''));
        const before = { group, revoked: 0 };
        // Counted on while it is done: whatever cuts the request off, its record says how far it came.
        recorder.note(request, { before, devices: ids });
        const revocation = await register.revokeAll(ids, {
          isOver: () => isOver(request, reply),
          onRevoked: () => before.revoked++,
        });
        const { revoked, unknown, uncertain, notBegun, error } = revocation;
        demandSome(revoked, error);
        recorder.note(request, { after: leftAs(uncertain, notBegun), devices: [...revoked, ...uncertain] });
        const refused = leftOf(revocation);
        return { revoked, unknown, ...(refused.length > 0 ? { refused } : {}) };
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
        const renewed = await together(request, reply, { what: 'renewed', devices }, (device) =>
          renew(device, graceSeconds),
        );
        const answer: RenewedSecrets = { secrets: renewed.done, refused: renewed.refused };
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
        const { devices } = request.body;
        const issued = await together(request, reply, { what: 'issued', devices }, (device) => issue(device, untilMs));
        const answer: ClaimsAnswer = { claims: issued.done, refused: issued.refused };
        return reply.code(201).send(answer);
      },
    );

    app.post(
      '/api/devices/claims/withdraw',
      {
        schema: { summary: 'Withdraw the claim codes of many devices', tags, body: WithdrawalsSchema },
      },
      async (request, reply): Promise<WithdrawnClaims> => {
        const { devices } = request.body;
        const { done, refused } = await together(request, reply, { what: 'withdrawn', devices }, async (device) => ({
          device,
          hadOne: await claims.withdraw(device),
        }));
        return {
          withdrawn: done.filter(({ hadOne }) => hadOne).map(({ device }) => device),
          none: done.filter(({ hadOne }) => !hadOne).map(({ device }) => device),
          refused,
        };
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

  /**
   * Does something for each device. Its record names those it is done to; it names all from the beginning, in case something cuts the
   * request off.
   *
   * @throws the error that ended it, if nothing was done
   */
  async function together<Done extends { readonly device: string; readonly hadOne?: boolean }>(
    request: FastifyRequest,
    reply: FastifyReply,
    { what, devices }: { readonly what: string; readonly devices: readonly string[] },
    work: (device: string) => Promise<Done>,
  ): Promise<{ readonly done: readonly Done[]; readonly refused: readonly RefusedDevice[] }> {
    const all = [...new Set(devices)];
    const progress = { [what]: 0 };
    recorder.note(request, { after: progress, devices: all });
    const changed: string[] = [];
    const { done, refused, error } = await forEach(all, {
      work,
      isOver: () => isOver(request, reply),
      onDone: ({ device, hadOne = true }) => {
        if (hadOne) progress[what] = changed.push(device);
      },
    });
    demandSome(done, error);
    const those = (code: string) => refused.filter((one) => one.code === code).map(({ device }) => device);
    const uncertain = those('unknown');
    recorder.note(request, {
      after: { ...progress, ...leftAs(uncertain, those('not-begun')) },
      devices: [...changed, ...uncertain],
    });
    return { done, refused };
  }

  /** @throws the error, if it ended the work before anything was done */
  function demandSome(done: readonly unknown[], error: unknown): void {
    if (error === undefined) return;
    if (done.length === 0) throw error;
    warnings.warn(
      'together',
      { err: error, done: done.length },
      'work for many devices ended early; the rest was not begun',
    );
  }

  async function idsOf(group: string): Promise<string[]> {
    const devices = await registry.list<Device>('devices');
    return devices.filter(({ value }) => value.group === group).map(({ id }) => id);
  }
}

/** How many devices an action may have been done to, and how many it was not begun for, as records say it. */
function leftAs(uncertain: readonly string[], notBegun: readonly string[]): object | undefined {
  return uncertain.length + notBegun.length === 0
    ? undefined
    : { unknown: uncertain.length, notBegun: notBegun.length };
}

/** The end of a time that begins now, in ms since 1970; undefined: never. */
function endOf(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Date.now() + seconds * 1_000;
}

function time(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
