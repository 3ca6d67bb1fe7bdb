import type { ClaimAnswer, RefusedDevice, RegisteredDevice } from '../../../../../client/answers.ts';
import { ApiError } from '../../../../../client/api.ts';
import type { OperatorApi } from '../../api.ts';
import { noticeOf } from '../../notice.tsx';
import { tell } from '../../words.ts';

/** What became of a task for one device. */
export interface Outcome {
  readonly device: string;
  /** `none`: there was nothing to do; `unknown`: it may have been done, but the answer does not say so. */
  readonly is: 'done' | 'none' | 'left' | 'unknown';
  /** Why it was not, or perhaps not, done. */
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
export interface Made {
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
  ) => Promise<Partial<Made> & { readonly outcomes: readonly Outcome[]; readonly refused: readonly RefusedDevice[] }>;
}

const DAY_SECONDS = 86_400;
/** Codes of devices at which a request broke off: the next one would hardly do better. */
const ENDED: ReadonlySet<string> = new Set(['unknown', 'not-begun', 'store-refuses']);

export const TASKS: readonly Task[] = [
  {
    name: 'claim',
    needs: 'device.claim',
    together: 50,
    async carryOut(api, devices, { days }) {
      const seconds = days === undefined ? undefined : Math.round(days * DAY_SECONDS);
      const { claims, refused } = await api.issueClaims(devices, seconds);
      return { claims, refused, outcomes: [...claims.map(done), ...refused.map(notDone)] };
    },
  },
  {
    name: 'secret',
    needs: 'device.secret',
    together: 100,
    async carryOut(api, devices, { isNow }) {
      const { secrets, refused } = await api.renewSecrets(devices, isNow ? 0 : undefined);
      return { secrets, refused, outcomes: [...secrets.map(done), ...refused.map(notDone)] };
    },
  },
  {
    name: 'unclaim',
    needs: 'device.unclaim',
    together: 200,
    async carryOut(api, devices) {
      const { withdrawn, none, refused } = await api.withdrawClaims(devices);
      const without = none.map((device): Outcome => ({ device, is: 'none' }));
      return {
        refused,
        outcomes: [...withdrawn.map((device) => done({ device })), ...without, ...refused.map(notDone)],
      };
    },
  },
  {
    name: 'revoke',
    needs: 'device.revoke',
    // Each record of the audit trail names so many.
    together: 200,
    async carryOut(api, devices) {
      const { revoked, unknown, refused = [] } = await api.revokeDevices({ devices });
      const gone = unknown.map((device) => notDone({ device, code: 'no-such-device', why: '' }));
      return { refused, outcomes: [...revoked.map((device) => done({ device })), ...gone, ...refused.map(notDone)] };
    },
  },
];

/** What one part of a task has made, and what became of its devices. */
export interface Part {
  readonly made: Partial<Made>;
  readonly outcomes: readonly Outcome[];
}

/**
 * Carries a task out for some devices after the others. If the server refuses, does not answer or breaks off, the rest is left undone.
 *
 * @param isOver true once no further part may begin
 * @param onPart called after each part
 */
export async function carryOut(
  task: Task,
  api: OperatorApi,
  devices: readonly string[],
  settings: TaskSettings,
  isOver: () => boolean,
  onPart: (part: Part) => void,
): Promise<void> {
  for (let at = 0; at < devices.length; at += task.together) {
    const some = devices.slice(at, at + task.together);
    const left = () => devices.slice(at + task.together).map(notBegun);
    if (isOver()) return onPart({ made: {}, outcomes: [...some.map(notBegun), ...left()] });
    try {
      const { outcomes, refused, ...made } = await task.carryOut(api, some, settings);
      const hasEnded = refused.some(({ code }) => ENDED.has(code));
      onPart({ made, outcomes: hasEnded ? [...outcomes, ...left()] : outcomes });
      if (hasEnded) return;
    } catch (error) {
      const { text } = noticeOf(error);
      // Only a refusal says that nothing was done. Otherwise the server may have done it, and its answer was lost.
      const isRefused = error instanceof ApiError && error.status > 0 && error.status < 500;
      const outcomes = some.map(
        (device): Outcome =>
          isRefused
            ? { device, is: 'left', why: text }
            : { device, is: 'unknown', why: `${tell('task.uncertain')} ${text}` },
      );
      return onPart({ made: {}, outcomes: [...outcomes, ...left()] });
    }
  }
}

function done({ device }: { readonly device: string }): Outcome {
  return { device, is: 'done' };
}

function notBegun(device: string): Outcome {
  return { device, is: 'left', why: tell('task.notBegun') };
}

function notDone({ device, code, why }: RefusedDevice): Outcome {
  if (code === 'no-such-device') return { device, is: 'left', why: tell('task.unknown') };
  if (code === 'not-begun') return notBegun(device);
  if (code === 'unknown') return { device, is: 'unknown', why: tell('task.uncertain') };
  return { device, is: 'left', why };
}
