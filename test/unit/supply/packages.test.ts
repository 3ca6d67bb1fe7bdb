/** What a release is made of. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { environmentSettings } from '../../../core/config/settings.ts';
import { pathInCheckout } from '../../support/root.ts';

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Licences that allow everything Pollcast’s own licence (MIT) allows, and ask for no more than a notice. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', 'Zlib'],
]);
/** Packages that would compile something if there were no package with their native part for this platform. */
const WITH_INSTALL_SCRIPT = ['lmdb', 'msgpackr-extract'];
/** Development dependencies that are bundled into the pages. */
const BUNDLED = ['preact', 'u8-mqtt', 'uplot'];

const manifest = JSON.parse(readFileSync(pathInCheckout('package.json'), 'utf8'));
const lock = JSON.parse(readFileSync(pathInCheckout('package-lock.json'), 'utf8'));
const all = Object.entries(lock.packages as Record<string, LockedPackage>)
  .filter(([path]) => path !== '')
  .map(([path, one]) => ({ name: path.replace(/^.*node_modules\//, ''), ...one }));
const released = all.filter(({ name, dev }) => !dev || BUNDLED.includes(name));

/** True if a licence expression allows a choice of which every part is allowed [SPDX 2.3, annex D]. */
function isAllowed(expression: string): boolean {
  const plain = expression.replace(/[()]/g, '');
  return plain.split(/ OR /i).some((choice) => choice.split(/ AND /i).every((one) => ALLOWED.has(one.trim())));
}

t.test('every package of a release has a licence that allows its use', async (t) => {
  t.ok(released.length > 100);
  for (const { name, version, license = 'none' } of released)
    t.ok(isAllowed(license), `${name} ${version}: ${license}`);
  for (const name of BUNDLED)
    t.ok(
      released.some((one) => one.name === name),
      `${name} is still used`,
    );
  for (const wrong of ['none', 'GPL-3.0', 'UNLICENSED', 'MIT AND GPL-2.0', 'SEE LICENSE IN x']) {
    t.notOk(isAllowed(wrong), wrong);
  }
  t.ok(isAllowed('(GPL-2.0 OR MIT)') && isAllowed('(MIT AND Zlib)'));
});

t.test('no package of a release needs an install script', async (t) => {
  const with_ = all.filter(({ dev, hasInstallScript }) => !dev && hasInstallScript);
  t.same(with_.map(({ name }) => name).sort(), WITH_INSTALL_SCRIPT);
  for (const { name, optionalDependencies = {} } of with_) {
    const native = Object.keys(optionalDependencies);
    for (const platform of ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64']) {
      t.ok(
        native.some((one) => one.endsWith(platform)),
        `${name} has a package for ${platform}`,
      );
    }
  }
});

t.test('every package is pinned: by version and by content', async (t) => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    t.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name);
  }
  for (const { name, integrity = '' } of released) t.match(integrity, /^sha512-/, name);
});

/** An image by version and by content: the digest of its index of all platforms. */
const PINNED = /^[\w/.-]+:v?\d+\.\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}$/;

t.test('no service of the deployment runs as root, and all images are pinned: by version and by content', async (t) => {
  const { services } = parse(readFileSync(pathInCheckout('docker-compose.yml'), 'utf8'), { merge: true });
  for (const [name, { user, image }] of Object.entries<{ user?: string; image: string }>(services)) {
    t.match(user ?? 'root', /^(?!root$|0(:|$))/, `${name} runs as ${user}`);
    // What this checkout builds has no digest before it is built.
    t.match(image, image === `pollcast:${manifest.version}` ? /./ : PINNED, `${name}: ${image}`);
  }
  const dockerfile = readFileSync(pathInCheckout('Dockerfile'), 'utf8');
  t.match(dockerfile, /^USER node$/m);
  t.match(/^ARG NODE_IMAGE=(.*)$/m.exec(dockerfile)?.[1], PINNED);
  for (const [, from = ''] of dockerfile.matchAll(/^FROM (\S+)/gm)) t.match(from, /^(base|\$\{NODE_IMAGE\})$/);
  for (const [line] of dockerfile.matchAll(/^RUN npm ci.*$/gm)) t.match(line, '--ignore-scripts');
  const [redis, environment] = [services.redis, services.broker1.environment];
  t.match(redis.command, /--requirepass \$\{REDIS_PASSWORD\}/);
  t.match(environment.POLLCAST_REDIS_URL, /^redis:\/\/:\$\{REDIS_PASSWORD:\?[^}]*\}@redis:6379$/);
});

t.test('dashboards of the deployment can reach an identity provider, and get all of its settings', async (t) => {
  const { services, networks, secrets } = parse(readFileSync(pathInCheckout('docker-compose.yml'), 'utf8'), {
    merge: true,
  });
  const example = readFileSync(pathInCheckout('.env.example'), 'utf8');
  const variables = Object.values(environmentSettings)
    .map(({ variable }) => variable)
    .filter((variable) => variable.startsWith('POLLCAST_OIDC_'));
  t.ok(variables.length >= 10);
  for (const dashboard of ['dashboard1', 'dashboard2']) {
    const { environment, networks: on, secrets: files } = services[dashboard];
    for (const variable of variables) t.match(environment[variable], `\${${variable}:`, `${dashboard} ${variable}`);
    t.ok(
      on.some((name: string) => networks[name]?.internal !== true),
      `${dashboard} reaches other hosts`,
    );
    t.ok(on.includes('inside'));
    t.match(environment.POLLCAST_OIDC_CLIENT_SECRET_FILE, `:+/run/secrets/${files[0]}}`);
    t.match(secrets[files[0]].file, '${POLLCAST_OIDC_CLIENT_SECRET_FILE:-');
  }
  for (const variable of variables) t.match(example, new RegExp(`^${variable}=`, 'm'));
  // What holds votes and keys stays without a way out.
  for (const name of ['broker1', 'processor1', 'redis', 'influxdb', 'prometheus'])
    t.same(services[name].networks, ['inside'], name);
  t.equal(networks.inside.internal, true);
});
