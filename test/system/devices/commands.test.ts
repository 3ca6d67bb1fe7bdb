/** The commands for secrets, claim codes and revoking. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { emptyFolder } from '../../support/folder.ts';
import { pollcast } from '../../support/process.ts';
import { stage } from '../../support/stage.ts';

t.test('devices get secrets and codes, and are revoked by id, file and group', async (t) => {
  const s = await stage(t, { door: 'devices' });
  const folder = emptyFolder(t);
  const devices = ['a', 'b', 'c', 'd', 'e'].map((device) => ({ device, group: device < 'c' ? 'front' : 'back' }));
  await s.call('POST', '/api/devices/import', { operator: true, body: { devices } });
  const token = s.operator.authorization?.replace('Bearer ', '') ?? '';
  const run = (...args: string[]) => pollcast(['device', ...args, '--http', s.http, '--token', token]);
  const enter = async (device: string, password: string) => {
    const { client } = await s.device(device, { username: device, password });
    await client.endAsync();
  };

  const secret = await run('secret', 'a', '--json');
  t.equal(secret.code, 0, secret.stderr);
  await enter('a', JSON.parse(secret.stdout).secret);
  t.match((await run('secret', 'a', '--now')).stdout, /the old secret has ended/);
  t.match((await run('secret', 'a')).stdout, /works until this one is used, at most until \d{4}/);
  t.match((await run('secret', 'a', '--now', '--grace', '5')).stderr, /either --grace or --now/);

  const file = join(folder, 'codes.csv');
  const claimed = await run('claim', '--group', 'front', '--days', '2', '-o', file);
  t.match([claimed.code, claimed.stdout], [0, /2 codes in .*codes.csv/], claimed.stderr);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const [head, first = '', second = ''] = readFileSync(file, 'utf8').trim().split(/\r?\n/);
  t.equal(head, 'device,label,code,expires');
  const { body } = await s.call('POST', '/api/claim', { body: { code: first.split(',')[2] } });
  t.equal(body.device, 'a');
  await enter('a', body.secret);
  t.match((await run('claim', 'b', '--withdraw')).stdout, /withdrew the codes of 1 devices/);
  t.equal((await s.call('POST', '/api/claim', { body: { code: second.split(',')[2] } })).status, 403);
  t.match((await run('claim', 'b', '--withdraw')).stdout, /withdrew the codes of 0 devices; 1 had none/);
  const partly = await run('claim', 'b', 'nobody');
  t.match(
    [partly.code, partly.stdout],
    [1, /[0-9A-Z-]{14}.*nobody: there is no device/s],
    'codes are printed in any case',
  );
  t.match((await run('claim')).stderr, /name the devices, or give --group/);

  const list = join(folder, 'lost.txt');
  writeFileSync(list, 'a\r\n\n  nobody \n');
  const revoked = await run('revoke', '--file', list);
  t.match([revoked.code, revoked.stdout], [1, /revoked a\n {2}not registered: nobody/]);
  t.match((await run('revoke', '--group', 'back')).stdout, /revoked c, d, e/);
  t.match((await run('revoke')).stderr, /name the devices, or give --group or --file/);
  t.match((await run('revoke', 'a', '--group', 'back')).stderr, /either devices or --group/);
  const left = (await s.call('GET', '/api/devices', { operator: true })).body.devices;
  t.same(
    left.map(({ device }: { device: string }) => device),
    ['b'],
  );
});
