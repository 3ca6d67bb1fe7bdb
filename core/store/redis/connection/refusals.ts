/** Why Redis refuses writes although it answers, and what helps, by the code in its error. */
const REASONS: readonly (readonly [code: RegExp, reason: string])[] = [
  [/\bOOM\b/, 'Redis is out of memory; free some, or raise maxmemory'],
  [/\bREADONLY\b/, 'Redis is read-only, because it is a replica; promote it, or correct POLLCAST_REDIS_URL'],
  [/\bNOREPLICAS\b/, 'Redis has fewer replicas than min-replicas-to-write demands; start them'],
  [/\bMISCONF\b/, 'Redis cannot write to its disk; check whether the disk is full, and the log of Redis'],
  [/\bNOPERM\b|user executing the script/i, 'Redis no longer gives its user the rights that are needed'],
  [/replicas have the write/, 'too few replicas of Redis receive the votes; start them, or lower POLLCAST_REPLICAS'],
];

/** What is wrong with a server that refused a write with this message; undefined if it was not refused, but not answered. */
export function refusalReason(message: string): string | undefined {
  const reason = REASONS.find(([code]) => code.test(message))?.[1];
  return reason && `${reason} (${message})`;
}
