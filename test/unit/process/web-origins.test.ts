import t from 'tap';
import { WebOrigins } from '../../../core/process/web-origins.ts';

const open = { host: '127.0.0.1', door: 'open', publicUrl: '', embedOrigins: [] } as const;
const from = (origins: WebOrigins, host: string | undefined, origin?: string) =>
  origins.problem({ headers: { host, origin } });

t.test('at an open door on this machine, only its own pages are served', async (t) => {
  const origins = new WebOrigins(open);
  for (const host of [
    '127.0.0.1:8080',
    'localhost:8080',
    '[::1]:8080',
    '127.1.2.3',
    'LOCALHOST',
    'localhost.:8080',
    'votes.localhost:8080',
    'a.b.localhost.',
    '[::ffff:127.0.0.1]:8080',
    '[::ffff:7f01:203]',
  ]) {
    t.equal(from(origins, host), undefined, host);
    for (const origin of [
      'http://localhost:5173',
      'http://votes.localhost',
      'http://localhost.',
      'http://[::ffff:127.0.0.1]',
    ])
      t.equal(from(origins, host, origin), undefined, 'another page of this machine');
    for (const origin of [
      'https://evil.example',
      'null',
      'file://',
      'http://localhost.evil.example',
      'http://127.0.0.1.evil.example:8080',
      'http://evillocalhost',
      'http://[::ffff:10.0.0.7]',
      'http://[::127.0.0.1]',
    ])
      t.match(from(origins, host, origin), origin, `${origin} at ${host}`);
  }
  for (const host of [
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    '10.0.0.7:8080',
    '',
    'a b',
    'evillocalhost',
    'localhost..',
    '[::ffff:10.0.0.7]',
    '@127.0.0.1x',
  ])
    t.match(from(origins, host), /names the host/, `${host}`);
});

t.test('programs that speak HTTP/1.0 need not name a host', async (t) => {
  t.equal(from(new WebOrigins(open), undefined), undefined);
});

t.test('known sites are served as well, and other doors and addresses need credentials anyway', async (t) => {
  const known = new WebOrigins({
    ...open,
    publicUrl: 'https://votes.example.org',
    embedOrigins: ['https://www.example.org:8443'],
  });
  t.equal(from(known, 'votes.example.org', 'https://votes.example.org'), undefined);
  t.equal(from(known, '127.0.0.1:8080', 'https://www.example.org:8443'), undefined);
  t.match(from(known, '127.0.0.1:8080', 'https://www.example.org'), /comes from/);
  t.match(from(known, '127.0.0.1:8080', 'http://www.example.org:8443'), /comes from/, 'another scheme');
  t.match(from(known, 'votes.example.org', 'http://votes.example.org'), /comes from/, 'another scheme');
  for (const host of ['votes.example.org:443', 'votes.example.org:80', 'VOTES.example.org', 'www.example.org:8443'])
    t.equal(from(known, host, 'https://votes.example.org:443'), undefined, host);
  for (const host of ['votes.example.org:8080', 'www.example.org', 'www.example.org:443'])
    t.match(from(known, host), /names the host/, host);
  const plain = new WebOrigins({ ...open, publicUrl: 'http://votes.example.org' });
  for (const host of ['votes.example.org:80', 'votes.example.org'])
    t.equal(from(plain, host, 'http://votes.example.org'), undefined, host);
  for (const other of [{ door: 'devices' }, { host: '0.0.0.0' }, { host: '192.168.1.5' }] as const)
    t.equal(from(new WebOrigins({ ...open, ...other }), 'any.example', 'https://other.example'), undefined);
});
