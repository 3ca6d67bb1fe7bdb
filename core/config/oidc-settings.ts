import { type GrantedRole, ROLES, type Role } from '../operators/operator.ts';
import { isLoopback } from '../runtime/host.ts';
import { isIdentifier } from '../voting/rules/text/identifier.ts';
import { text, whole } from './parsers.ts';

/** The longest session in hours of an operator whom an identity provider has signed in. */
const MAX_SESSION_HOURS = 168;
/** The maximum number of rooms of one role in the mapping. */
const MAX_ROOMS = 100;

/** Settings for operators who sign in at an identity provider (OpenID Connect). */
export const oidcSettings = {
  oidcIssuer: {
    variable: 'POLLCAST_OIDC_ISSUER',
    fallback: '',
    description:
      'identity provider (OpenID Connect) at which operators may sign in, as its issuer, such as https://id.example.org; if empty, only tokens are accepted. Needs POLLCAST_PUBLIC_URL, at which the provider sends operators back to /signed-in',
    parse: issuer,
  },
  oidcName: {
    variable: 'POLLCAST_OIDC_NAME',
    fallback: '',
    description: 'name of the identity provider on the sign-in page; if empty, the host of POLLCAST_OIDC_ISSUER',
    parse: text,
  },
  oidcClientId: {
    variable: 'POLLCAST_OIDC_CLIENT_ID',
    fallback: '',
    description: 'id under which Pollcast is registered at the identity provider',
    parse: text,
  },
  oidcClientSecret: {
    variable: 'POLLCAST_OIDC_CLIENT_SECRET',
    fallback: '',
    description:
      'secret of POLLCAST_OIDC_CLIENT_ID; if empty, and there is no file either, Pollcast is a public client',
    parse: text,
  },
  oidcClientSecretFile: {
    variable: 'POLLCAST_OIDC_CLIENT_SECRET_FILE',
    fallback: '',
    description: 'file with the secret of POLLCAST_OIDC_CLIENT_ID, instead of POLLCAST_OIDC_CLIENT_SECRET',
    parse: text,
  },
  oidcScopes: {
    variable: 'POLLCAST_OIDC_SCOPES',
    fallback: 'openid profile',
    description: 'scopes that are asked for, separated by spaces; openid is required',
    parse: scopes,
  },
  oidcRoleClaim: {
    variable: 'POLLCAST_OIDC_ROLE_CLAIM',
    fallback: 'groups',
    description:
      'claim that lists what POLLCAST_OIDC_ROLES maps to roles; dots lead into objects, as in realm_access.roles',
    parse: (value: string) => {
      if (value === '') throw new Error('the name of a claim, such as groups or realm_access.roles');
      return value;
    },
  },
  oidcRoles: {
    variable: 'POLLCAST_OIDC_ROLES',
    fallback: '',
    description:
      'which values of the claim give which role, in which rooms (none: all), such as poll-admins=admin; hall-team=operator@hall,foyer; the first role that matches counts, and nobody else gets in',
    parse: grantedRoles,
  },
  oidcAudience: {
    variable: 'POLLCAST_OIDC_AUDIENCE',
    fallback: '',
    description:
      'audience of access tokens (JWT) of the identity provider that the API accepts from programs; if empty, it accepts none',
    parse: text,
  },
  oidcSessionHours: {
    variable: 'POLLCAST_OIDC_SESSION_HOURS',
    fallback: '12',
    description: 'number of hours after which operators must sign in at the identity provider again',
    parse: (value: string) => whole(value, 1, MAX_SESSION_HOURS),
  },
} as const;

type OidcValues = { readonly [Name in keyof typeof oidcSettings]: ReturnType<(typeof oidcSettings)[Name]['parse']> };

/** Settings of an identity provider that do not go together. */
export function oidcProblems(values: Partial<OidcValues> & { readonly publicUrl?: string }): string[] {
  const { oidcIssuer, oidcClientId, oidcClientSecret, oidcClientSecretFile, oidcAudience, oidcRoles } = values;
  const problems: string[] = [];
  const demand = (isWrong: boolean, problem: string) => isWrong && problems.push(problem);
  // An issuer or a mapping that could not be read is a problem of its own.
  if (oidcIssuer === undefined || oidcRoles === undefined) return problems;
  if (oidcIssuer === '') {
    const others = { oidcClientId, oidcClientSecret, oidcClientSecretFile, oidcAudience, oidcRoles };
    for (const [name, value] of Object.entries(others)) {
      const { variable } = oidcSettings[name as keyof typeof others];
      demand(!!value?.length, `${variable}: only works with POLLCAST_OIDC_ISSUER; set it, or remove ${variable}`);
    }
    return problems;
  }
  demand(!oidcClientId, 'POLLCAST_OIDC_CLIENT_ID: required with POLLCAST_OIDC_ISSUER; expected the id of this client');
  demand(
    values.publicUrl === '',
    'POLLCAST_PUBLIC_URL: required with POLLCAST_OIDC_ISSUER, which sends operators back to it; set the address of the pages',
  );
  demand(
    oidcRoles.length === 0,
    'POLLCAST_OIDC_ROLES: required with POLLCAST_OIDC_ISSUER, or nobody could sign in; set it to, for example, poll-admins=admin',
  );
  demand(
    !!oidcClientSecret && !!oidcClientSecretFile,
    'POLLCAST_OIDC_CLIENT_SECRET: there is POLLCAST_OIDC_CLIENT_SECRET_FILE as well; remove one of them',
  );
  demand(
    !!oidcAudience && oidcAudience === oidcClientId,
    'POLLCAST_OIDC_AUDIENCE: must differ from POLLCAST_OIDC_CLIENT_ID, or ID tokens would pass as access tokens; register the API under a name of its own',
  );
  return problems;
}

function issuer(value: string): string {
  if (value === '') return value;
  const url = URL.canParse(value) ? new URL(value) : new URL('about:blank');
  const isPlain =
    url.href.endsWith(url.pathname) && url.username + url.password === '' && !/\/\.well-known\//.test(value);
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  if (isPlain && isSafe) return value;
  throw new Error(
    'an issuer that begins with https:// (http:// only on a loopback address), without query and /.well-known/…, such as https://id.example.org',
  );
}

function scopes(value: string): string {
  const all = value.split(/\s+/);
  if (!all.includes('openid') || !all.every((one) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(one))) {
    throw new Error('scopes separated by spaces, openid among them, such as openid profile groups');
  }
  return all.join(' ');
}

/** Values may contain any character but `;`, as names of groups in directories do (`cn=admins,ou=groups`). */
function grantedRoles(value: string): GrantedRole[] {
  const entries = value
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  return entries.map((entry) => {
    const [, claimed = '', role, rooms] = /^(.+)=\s*([a-z]+)\s*(?:@(.*))?$/.exec(entry) ?? [];
    const names = rooms?.split(',').map((one) => one.trim());
    const isRole = (ROLES as readonly (string | undefined)[]).includes(role);
    const areRooms = !names || (role !== 'admin' && names.length <= MAX_ROOMS && names.every(isIdentifier));
    if (!isRole || !areRooms || claimed.trim() === '') {
      throw new Error(
        `entries <value>=<role> or <value>=<role>@<room>,<room> separated by semicolons, with a role out of ${ROLES.join(', ')} (admin without rooms)`,
      );
    }
    return { claimed: claimed.trim(), role: role as Role, rooms: names };
  });
}
