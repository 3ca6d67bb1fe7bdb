import t from 'tap';
import { WebOrigins } from '../../../core/process/web-origins.ts';

const open = { host: '127.0.0.1', door: 'open', publicUrl: '', embedOrigins: [] } as const;
const from = (origins: WebOrigins, host: string | undefined, origin?: string) =>
  origins.problem({ headers: { host, origin } });

t.test('at an open door on this machine, only its own pages are served', async (t) => {
  const origins = new WebOrigins(open);
  for (const host of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080', '127.1.2.3', 'LOCALHOST']) {
    t.equal(from(origins, host), undefined, host);
    t.equal(from(origins, host, 'http://localhost:5173'), undefined, 'another page of this machine');
    for (const origin of [
      'https://evil.example',
      'null',
      'file://',
      'http://localhost.evil.example',
      'http://127.0.0.1.evil.example:8080',
    ])
      t.match(from(origins, host, origin), origin, `${origin} at ${host}`);
  }
  for (const host of [
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    '10.0.0.7:8080',
    '',
    undefined,
    'a b',
    '@127.0.0.1x',
  ])
    t.match(from(origins, host), /names the host/, `${host}`);
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
  for (const other of [{ door: 'devices' }, { host: '0.0.0.0' }, { host: '192.168.1.5' }] as const)
    t.equal(from(new WebOrigins({ ...open, ...other }), 'any.example', 'https://other.example'), undefined);
});
