import { Refusal } from '../runtime/refusal.ts';
import type { Mandate } from '../voting/poll/electorate.ts';
import { IDENTIFIER_RULE, isIdentifier } from '../voting/rules/text/identifier.ts';
import { textProblems } from '../voting/rules/text/printable.ts';
import { parseWeight, WEIGHT_RULE } from '../voting/rules/weight.ts';
import { MAX_LABEL_LENGTH, MAX_MANDATES } from './device.ts';
import { isGuestId } from './guests/credential.ts';
import type { ImportedDevice } from './import/plan.ts';
import { MIN_SECRET_LENGTH } from './secret.ts';

/**
 * Validates devices.
 *
 * @param rows the rows of a table that the devices come from, to be named in problems
 * @throws Refusal bad-devices, listing every problem
 */
export function demandValid(devices: readonly ImportedDevice[], rows?: readonly number[]): void {
  const problems: string[] = [];
  const seen = new Map<string, number>();
  const placeOf = (i: number) => (rows ? `row ${rows[i]}: ` : devices.length === 1 ? '' : `devices[${i}].`);
  for (const [i, wanted] of devices.entries()) {
    const { device } = wanted;
    const first = seen.get(device);
    const twice =
      first === undefined ? [] : [`device: ${JSON.stringify(device)} occurs twice, first in ${nameOf(first, rows)}`];
    seen.set(device, first ?? i);
    problems.push(...[...deviceProblems(wanted), ...twice].map((problem) => placeOf(i) + problem));
  }
  if (problems.length === 0) return;
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  throw new Refusal('bad-devices', `${count}; nothing was changed`, problems);
}

function nameOf(i: number, rows: readonly number[] | undefined): string {
  return rows ? `row ${rows[i]}` : `devices[${i}]`;
}

function deviceProblems({ device, label, group, weight, mandates, secret }: ImportedDevice): string[] {
  const problems: string[] = [];
  if (!isIdentifier(device)) problems.push(`device: must be ${IDENTIFIER_RULE}${found(device)}`);
  else if (isGuestId(device)) problems.push('device: ids that begin with "guest-" are reserved for guests');
  if (label) problems.push(...textProblems('label', label, MAX_LABEL_LENGTH));
  if (isGiven(group) && !isIdentifier(group)) problems.push(`group: must be ${IDENTIFIER_RULE}${found(group)}`);
  if (isGiven(weight) && weight !== '0' && parseWeight(weight) === undefined) {
    problems.push(`weight: must be ${WEIGHT_RULE}, or 0 for a device that only carries mandates${found(weight)}`);
  }
  problems.push(...mandatesProblems(mandates ?? [], device));
  if (secret !== undefined && secret.length < MIN_SECRET_LENGTH) {
    problems.push(`secret: must have at least ${MIN_SECRET_LENGTH} characters; if omitted, one is generated`);
  } else if (secret !== undefined && isGuessable(secret, device)) {
    problems.push(
      'secret: can be guessed, because it is the id or repeats a few characters; if omitted, one is generated',
    );
  }
  return problems;
}

/** True for a secret that is the device’s id, alone or repeated, or the same up to four characters again and again. */
function isGuessable(secret: string, device: string): boolean {
  const [text, id] = [secret.toLowerCase(), device.toLowerCase()];
  const repeats = (part: string) => part !== '' && part.repeat(Math.ceil(text.length / part.length)).startsWith(text);
  return repeats(id) || [1, 2, 3, 4].some((length) => repeats(text.slice(0, length)));
}

function mandatesProblems(mandates: readonly Mandate[], device: string): string[] {
  const problems = mandates.flatMap(({ mandate, weight, group }, i) => {
    const at = `mandates[${i}].`;
    return [
      ...(isIdentifier(mandate) ? [] : [`${at}mandate: must be ${IDENTIFIER_RULE}${found(mandate)}`]),
      ...(group === undefined || isIdentifier(group) ? [] : [`${at}group: must be ${IDENTIFIER_RULE}${found(group)}`]),
      ...(weight === undefined || parseWeight(weight) ? [] : [`${at}weight: must be ${WEIGHT_RULE}${found(weight)}`]),
    ];
  });
  const ids = mandates.map(({ mandate }) => mandate);
  if (mandates.length > MAX_MANDATES) {
    problems.push(`mandates: a device carries at most ${MAX_MANDATES}, not ${mandates.length}`);
  }
  if (new Set(ids).size < ids.length) problems.push('mandates: a mandate occurs twice');
  if (ids.includes(device)) {
    problems.push('mandates: a device needs no mandate for itself; its own vote has the weight of the device');
  }
  return problems;
}

const isGiven = (value: string | null | undefined): value is string => value !== undefined && value !== null;

/** What was found instead, for the end of a problem. Long text is cut off. */
function found(text: string): string {
  return text === '' ? '' : `, not ${JSON.stringify(text.slice(0, 80))}`;
}
