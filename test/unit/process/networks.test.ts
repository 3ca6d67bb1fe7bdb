import t from 'tap';
import { callerOf, clientAddress, Networks, networkOf } from '../../../core/process/networks.ts';

t.test('networks contain their addresses, however these are written', async (t) => {
  const networks = new Networks(['10.0.0.0/8', '192.0.2.7', 'fe80::/10', '::1']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '::FFFF:192.0.2.7', '192.0.2.7', 'fe80::1%eth0', '::1']) {
    t.ok(networks.has(address), address);
  }
  for (const address of ['11.0.0.1', '192.0.2.8', '::2', '::ffff:11.0.0.1', '', 'nonsense', '10.1.2']) {
    t.notOk(networks.has(address), address);
  }
  t.notOk(new Networks([]).has('127.0.0.1'));
});

t.test('an address of IPv6 counts as its network, and one of IPv4 as itself', async (t) => {
  for (const [address, network] of [
    ['10.0.0.7', '10.0.0.7'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ] as const) {
    t.equal(networkOf(address), network, address);
  }
});

t.test('the client behind trusted proxies is the last address that is not theirs', async (t) => {
  const proxies = new Networks(['10.0.0.0/8']);
  const from = (remoteAddress: string | undefined, forwarded?: string) =>
    clientAddress({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }, proxies);
  t.equal(from('192.0.2.1'), '192.0.2.1');
  t.equal(from('192.0.2.1', '203.0.113.9'), '192.0.2.1', 'anybody may send the header');
  t.equal(from('10.0.0.1', '203.0.113.9'), '203.0.113.9');
  t.equal(
    from('::ffff:10.0.0.1', '198.51.100.1, 203.0.113.9 ,10.0.0.2'),
    '203.0.113.9',
    'what is before it may be invented',
  );
  t.equal(from('10.0.0.1', '203.0.113.9, unknown'), '10.0.0.1');
  t.equal(from('10.0.0.1'), '10.0.0.1');
  t.equal(from('10.0.0.1', '10.0.0.2'), '10.0.0.2');
  t.equal(from(undefined, '203.0.113.9'), undefined);
});

t.test('a caller is an IPv4 address, or a network of 64 bits', async (t) => {
  for (const [address, caller] of [
    ['10.0.0.7', '10.0.0.7'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0DB8:1::2:3', '2001:db8:1:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::', 'fe80:0:0:0::/64'],
    ['_hidden', 'unknown'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ] as const) {
    t.equal(callerOf(address), caller, `${address}`);
  }
});
