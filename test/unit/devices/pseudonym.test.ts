import t from 'tap';
import { MAX_BLIND_SEQUENCE, pseudonymised } from '../../../core/devices/pseudonym.ts';

t.test('the sequence number and the connection number of a vote are shifted by different offsets', async (t) => {
  const shifted = (voter: string, n: number, connection: number) =>
    pseudonymised('key', { device: voter, choice: 'a', n, connection, t: 5, dup: true });
  const [one, two] = [shifted('d', 1, 1_000), shifted('d', 2, 1_005)];
  t.same([one.device, one.t, one.dup], [two.device, undefined, true]);
  t.equal((two.n ?? 0) - (one.n ?? 0), 1, 'sequence numbers keep their order');
  t.equal((two.connection ?? 0) - (one.connection ?? 0), 5);
  t.not(
    (one.n ?? 0) - (one.connection ?? 0),
    1 - 1_000,
    'the offsets differ, because equal offsets would reveal the connection number',
  );
  t.not(shifted('e', 1, 1_000).n, one.n);
  t.ok(Number.isSafeInteger(shifted('d', MAX_BLIND_SEQUENCE, 1).n));
});
