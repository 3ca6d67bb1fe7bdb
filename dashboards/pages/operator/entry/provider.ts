import { ApiClient, ApiError } from '../../../../client/api.ts';
import { PAGE_PART } from '../../../../client/page-part.ts';
import { BASE } from '../../base.ts';
import { noticeOf } from '../notice.tsx';
import { tell } from '../words.ts';

const PATH = `${BASE}/signed-in`;
/** The texts for refusals of a sign-in, by their codes. */
const PROBLEMS = {
  'provider-away': 'signIn.away',
  'sign-in-unknown': 'signIn.unknown',
  'sign-in-refused': 'signIn.refused',
  'no-role': 'signIn.noRole',
} as const;

/** Calls the API without a token. */
export const visitor = new ApiClient({ base: BASE });

/** True if an identity provider has just sent the browser back to this page. */
export function hasReturned(): boolean {
  return location.pathname === PATH;
}

/** Goes to the identity provider. @param address the public address, where sign-ins begin */
export async function leaveToProvider(address: string): Promise<void> {
  // The cookie of the sign-in must be set where the provider sends the browser back to.
  if (location.origin + BASE !== address) return location.assign(`${address}/${location.hash}`);
  // Nobody should have to mend an address to sign in.
  const returnTo = new RegExp(PAGE_PART).test(location.hash) ? location.hash : '';
  location.assign((await visitor.beginSignIn(returnTo)).address);
}

/**
 * Completes the sign-in, and returns to where it began. Rejects with an `ApiError`.
 *
 * @param kept the token that this tab has already
 * @returns the token of the session; undefined if the operator prefers to go on with the one that the tab has
 */
export async function completeSignIn(kept: string | null): Promise<string | undefined> {
  const query = location.search;
  history.replaceState(null, '', `${BASE}/`);
  const { token, returnTo } = await visitor.completeSignIn(query);
  if (kept !== null && !(await mayReplace(kept, token))) {
    await new ApiClient({ base: BASE, token }).endSession();
    return undefined;
  }
  if (returnTo.startsWith('#/')) location.replace(returnTo);
  return token;
}

/** True if the new token may take the place of the old one. Asks if both work: somebody else may have led the browser here. */
async function mayReplace(kept: string, given: string): Promise<boolean> {
  const [before, now = ''] = await Promise.all([kept, given].map(nameOf));
  return before === undefined || before === now || confirm(tell('signIn.replace', { before, now }));
}

/** The name of the operator with this token; undefined if it works no longer. Rejects with an `ApiError`. */
async function nameOf(token: string): Promise<string | undefined> {
  try {
    return (await new ApiClient({ base: BASE, token }).deployment()).operator.name;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return undefined;
    throw error;
  }
}

/** Why a sign-in failed, for the person who tries. */
export function signInProblem(error: unknown): string {
  const { code } = error instanceof ApiError ? error : { code: '' };
  return Object.hasOwn(PROBLEMS, code) ? tell(PROBLEMS[code as keyof typeof PROBLEMS]) : noticeOf(error).text;
}
