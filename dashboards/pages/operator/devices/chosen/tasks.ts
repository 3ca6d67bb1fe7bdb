import type { ClaimAnswer, RegisteredDevice } from '../../../../../client/answers.ts';
import { ApiError } from '../../../../../client/api.ts';
import type { OperatorApi } from '../../api.ts';
import { noticeOf } from '../../context.ts';
import { tell } from '../../words.ts';

/** What became of a task for one device. */
export interface Outcome {
  readonly device: string;
  /** Why it was not done; undefined if it was. */
  readonly why?: string | undefined;
}

/** What the operator chooses before a task begins. */
export interface TaskSettings {
  /** For how many days a code can be used; undefined: until it is used. */
  readonly days?: number | undefined;
  /** Whether old secrets end now, rather than when the new ones are first used. */
  readonly isNow: boolean;
}

/** What the server shows only once. */
interface Made {
  readonly claims: readonly ClaimAnswer[];
  readonly secrets: readonly RegisteredDevice[];
}

/** Something to do with several devices. */
export interface Task {
  readonly name: 'claim' | 'unclaim' | 'secret' | 'revoke';
  /** The action that the role must allow. */
  readonly needs: string;
  /** For how many devices it is done at a time; between two times, progress is shown. */
  readonly together: number;
  readonly carryOut: (
    api: OperatorApi,
    devices: readonly string[],
    settings: TaskSettings,
  ) => Promise<Partial<Made> & { readonly outcomes: readonly Outcome[] }>;
}

const DAY_SECONDS = 86_400;

export const TASKS: readonly Task[] = [
  {
    name: 'claim',
    needs: 'device.claim',
    together: 50,
    async carryOut(api, devices, { days }) {
      const seconds = days === undefined ? undefined : Math.round(days * DAY_SECONDS);
      const { claims, refused } = await api.issueClaims(devices, seconds);
      return { claims, outcomes: [...claims.map(done), ...refused.map(notDone)] };
    },
  },
  {
    name: 'secret',
    needs: 'device.secret',
    together: 100,
    async carryOut(api, devices, { isNow }) {
      const { secrets, refused } = await api.renewSecrets(devices, isNow ? 0 : undefined);
      return { secrets, outcomes: [...secrets.map(done), ...refused.map(notDone)] };
    },
  },
  {
    name: 'unclaim',
    needs: 'device.unclaim',
    together: 1,
    async carryOut(api, devices) {
      const outcomes = devices.map((device) =>
        api.withdrawClaim(device).then(
          () => ({ device }),
          (error) => {
            if (error instanceof ApiError && error.status === 404)
              return notDone({ device, code: error.code, why: '' });
            throw error;
          },
        ),
      );
      return { outcomes: await Promise.all(outcomes) };
    },
  },
  {
    name: 'revoke',
    needs: 'device.revoke',
    together: 500,
    async carryOut(api, devices) {
      const { revoked, unknown } = await api.revokeDevices({ devices });
      const gone = unknown.map((device) => notDone({ device, code: 'no-such-device', why: '' }));
      return { outcomes: [...revoked.map((device) => ({ device })), ...gone] };
    },
  },
];

/**
 * Carries a task out for some devices after the others. If the server refuses or does not answer, the rest is left undone.
 *
 * @param onPart called after each part, with what has been made and what has become of the devices since the beginning
 */
export async function carryOut(
  task: Task,
  api: OperatorApi,
  devices: readonly string[],
  settings: TaskSettings,
  onPart: (made: Made, outcomes: readonly Outcome[]) => void,
): Promise<void> {
  let outcomes: readonly Outcome[] = [];
  let made: Made = { claims: [], secrets: [] };
  for (let at = 0; at < devices.length; at += task.together) {
    try {
      const part = await task.carryOut(api, devices.slice(at, at + task.together), settings);
      outcomes = [...outcomes, ...part.outcomes];
      made = {
        claims: [...made.claims, ...(part.claims ?? [])],
        secrets: [...made.secrets, ...(part.secrets ?? [])],
      };
      onPart(made, outcomes);
    } catch (error) {
      const { text: why } = noticeOf(error);
      return onPart(made, [...outcomes, ...devices.slice(at).map((device) => ({ device, why }))]);
    }
  }
}

function done({ device }: { readonly device: string }): Outcome {
  return { device };
}

function notDone({ device, code, why }: { readonly device: string; readonly code: string; readonly why: string }) {
  return { device, why: code === 'no-such-device' ? tell('task.unknown') : why };
}
