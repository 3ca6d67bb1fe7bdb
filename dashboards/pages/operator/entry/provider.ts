import { ApiClient, ApiError } from '../../../../client/api.ts';
import { BASE } from '../../base.ts';
import { noticeOf } from '../context.ts';
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
  location.assign((await visitor.beginSignIn(location.hash)).address);
}

/** Completes the sign-in, returns to where it began, and resolves with the token of the session. Rejects with an `ApiError`. */
export async function completeSignIn(): Promise<string> {
  const query = location.search;
  history.replaceState(null, '', `${BASE}/`);
  const { token, returnTo } = await visitor.completeSignIn(query);
  if (returnTo.startsWith('#/')) location.replace(returnTo);
  return token;
}

/** Why a sign-in failed, for the person who tries. */
export function signInProblem(error: unknown): string {
  const { code } = error instanceof ApiError ? error : { code: '' };
  return Object.hasOwn(PROBLEMS, code) ? tell(PROBLEMS[code as keyof typeof PROBLEMS]) : noticeOf(error).text;
}
