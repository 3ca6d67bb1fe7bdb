import { useMemo, useRef, useState } from 'preact/hooks';
import type { ClaimAnswer, DeviceAnswer, RegisteredDevice } from '../../../../../client/answers.ts';
import type { OperatorApi } from '../../api.ts';
import { carryOut, type Outcome, type Task, type TaskSettings } from './tasks.ts';

/** A task that the operator has asked for. */
export interface TaskRun {
  readonly task: Task;
  /** The devices as they were when the operator asked: later ones are not touched. */
  readonly devices: readonly DeviceAnswer[];
  readonly step: 'asking' | 'running' | 'done';
  readonly outcomes: readonly Outcome[];
}

/** The task for several devices. It belongs to the desk, because it goes on while the operator looks at other sections. */
export interface TaskDesk {
  /** The current task; undefined between tasks. */
  readonly run: TaskRun | undefined;
  /** Asks whether to do it, unless there is a task already. */
  ask(task: Task, devices: readonly DeviceAnswer[]): void;
  /** Carries the task out that was asked for. */
  begin(api: OperatorApi, settings: TaskSettings): void;
  /** Puts the task away, unless it is running. */
  putAway(): void;
  /** Begins no task, and no further part of one that is running: the operator signs out. */
  stop(): void;
}

type Add<T> = (change: (before: readonly T[]) => readonly T[]) => void;

/** Carries tasks out, one at a time, and adds what they make to what has not been saved yet. */
export function useTaskRun(setClaims: Add<ClaimAnswer>, setSecrets: Add<RegisteredDevice>): TaskDesk {
  const [run, setRun] = useState<TaskRun>();
  // What was rendered last may be older than what was clicked last.
  const latest = useRef<TaskRun | undefined>(undefined);
  const isOver = useRef(false);
  const actions = useMemo(() => {
    const set = (next: TaskRun | undefined) => {
      latest.current = next;
      setRun(next);
    };
    const carry = async (asked: TaskRun, api: OperatorApi, settings: TaskSettings) => {
      isOver.current = false;
      let now: TaskRun = { ...asked, step: 'running' };
      set(now);
      const ids = asked.devices.map(({ device }) => device);
      await carryOut(
        asked.task,
        api,
        ids,
        settings,
        () => isOver.current,
        ({ made, outcomes }) => {
          now = { ...now, outcomes: [...now.outcomes, ...outcomes] };
          set(now);
          // The newest code and secret of a device are the ones that work.
          const { claims = [], secrets = [] } = made;
          if (claims.length > 0) setClaims((before) => replaced(before, claims));
          if (secrets.length > 0) setSecrets((before) => replaced(before, secrets));
        },
      );
      set({ ...now, step: 'done' });
    };
    return {
      ask(task: Task, devices: readonly DeviceAnswer[]) {
        if (!latest.current) set({ task, devices, step: 'asking', outcomes: [] });
      },
      begin(api: OperatorApi, settings: TaskSettings) {
        if (latest.current?.step === 'asking') void carry(latest.current, api, settings);
      },
      putAway() {
        if (latest.current?.step !== 'running') set(undefined);
      },
      stop() {
        isOver.current = true;
        if (latest.current?.step === 'asking') set(undefined);
      },
    };
  }, []);
  return { run, ...actions };
}

/** What there was, with the new things of each device instead of the old ones. */
function replaced<T extends { readonly device: string }>(before: readonly T[], made: readonly T[]): readonly T[] {
  const now = new Set(made.map(({ device }) => device));
  return [...before.filter(({ device }) => !now.has(device)), ...made];
}
