import { type Limits, planOf } from './plan.ts';
import { type Outcome, run } from './run.ts';
import { realNowMs } from './world/globals.ts';

/** How many runs a smaller failing run may take to find. */
const MAX_RUNS = 60;
/** How long it may take, in ms. */
const LIMIT_MS = 120_000;

/**
 * Looks for a smaller run that breaks the same promise: a shorter one, with fewer faults and fewer devices.
 *
 * @param failing a run, with limits that the smaller one has too
 * @returns what is left of the plan, and its outcome
 */
export async function shrink(failing: Outcome, given: Limits): Promise<{ limits: Limits; outcome: Outcome }> {
  const { seed } = failing.plan;
  const kind = kindOf(failing);
  const endMs = realNowMs() + LIMIT_MS;
  let runs = 0;
  const mayGoOn = () => runs < MAX_RUNS && realNowMs() < endMs;
  let limits = given;
  let outcome = failing;
  const attempt = async (smaller: Limits): Promise<boolean> => {
    if (!mayGoOn()) return false;
    runs++;
    const tried = await run(planOf(seed, smaller));
    if (kindOf(tried) !== kind) return false;
    limits = smaller;
    outcome = tried;
    return true;
  };
  const minutes = Math.ceil(failing.simulatedMs / 60_000);
  if (minutes < failing.plan.minutes) await attempt({ ...limits, minutes });
  let faults = outcome.plan.faults.map(({ id }) => id);
  // Leaves out ever smaller parts of the faults.
  for (let size = faults.length; size >= 1 && mayGoOn(); size = Math.floor(size / 2)) {
    for (let at = 0; at < faults.length && mayGoOn(); ) {
      const rest = [...faults.slice(0, at), ...faults.slice(at + size)];
      if (await attempt({ ...limits, faults: rest })) faults = rest;
      else at += size;
    }
  }
  for (let devices = 1; devices < outcome.plan.devices && mayGoOn(); devices *= 2) {
    if (await attempt({ ...limits, devices })) break;
  }
  const shorter = Math.ceil(outcome.simulatedMs / 60_000);
  if (shorter < outcome.plan.minutes) await attempt({ ...limits, minutes: shorter });
  return { limits, outcome };
}

/** Which promise was broken. */
function kindOf({ violation }: Outcome): string | undefined {
  return violation?.message.split(':')[0];
}
