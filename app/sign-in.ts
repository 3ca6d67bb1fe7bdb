import { readFileSync } from 'node:fs';
import { type Config, ConfigError } from '../core/config/config.ts';
import type { SessionRules } from '../core/operators/sessions.ts';
import type { SignIn, SignInParts } from '../dashboards/oidc/sign-in.ts';

/** What the sessions of the identity provider depend on; undefined if none is configured. */
export function sessionRulesOf(config: Config): SessionRules | undefined {
  if (config.oidcIssuer === '') return undefined;
  return {
    issuer: config.oidcIssuer,
    clientId: config.oidcClientId,
    roleClaim: config.oidcRoleClaim,
    roles: config.oidcRoles,
    sessionHours: config.oidcSessionHours,
  };
}

/**
 * The sign-in at an identity provider; undefined if none is configured. The provider need not be reachable.
 *
 * @throws ConfigError if the file with the client’s secret cannot be used
 */
export async function signInOf(config: Config, parts: SignInParts): Promise<SignIn | undefined> {
  const rules = sessionRulesOf(config);
  if (!rules) return undefined;
  const settings = {
    ...rules,
    ...{ publicUrl: config.publicUrl, clientSecret: secretOf(config) },
    name: config.oidcName || new URL(rules.issuer).host,
    scopes: config.oidcScopes,
    audience: config.oidcAudience,
  };
  // The libraries are loaded only where they are needed.
  const { SignIn } = await import('../dashboards/oidc/sign-in.ts');
  return new SignIn(settings, parts);
}

function secretOf({ oidcClientSecret, oidcClientSecretFile: file }: Config): string {
  if (file === '') return oidcClientSecret;
  try {
    const secret = readFileSync(file, 'utf8').trim();
    if (secret !== '') return secret;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([
      `POLLCAST_OIDC_CLIENT_SECRET_FILE: ${file} cannot be read (${code}); check the path and its owner`,
    ]);
  }
  throw new ConfigError([`POLLCAST_OIDC_CLIENT_SECRET_FILE: ${file} is empty; write the secret of the client into it`]);
}
