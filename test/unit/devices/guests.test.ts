import t from 'tap';
import { codeGuestId, newGuestId, passwordOf, readPassword } from '../../../core/devices/guests/credential.ts';
import { codeOf, isRoomCode, MAX_CODE_NUMBER, newRoomCode, numberOf } from '../../../core/devices/guests/join-codes.ts';

const KEY = 'a key';

t.test('a password says for which guest, room and event it was issued, and nothing of it can be changed', async (t) => {
  const guest = { device: newGuestId(), room: 'hall', event: 'abc', expiresAtMs: 1_800_000_000_000 };
  const password = passwordOf(KEY, guest);
  t.same(readPassword(KEY, guest.device, password), guest);
  const without = { ...guest, room: '', event: '' };
  t.same(readPassword(KEY, guest.device, passwordOf(KEY, without)), without);
  t.equal(readPassword('another key', guest.device, password), undefined);
  t.equal(readPassword(KEY, newGuestId(), password), undefined);
  const changed = [...password].map(
    (_, i) => password.slice(0, i) + (password[i] === 'a' ? 'b' : 'a') + password.slice(i + 1),
  );
  for (const one of [...changed, password.slice(0, -1), `${password}a`, '', `${password}\n`]) {
    t.equal(readPassword(KEY, guest.device, one), undefined, one);
  }
  t.equal(readPassword(KEY, guest.device, passwordOf(KEY, guest).replace('hall', 'hal.l')), undefined);
});

t.test('a code is read however it is typed, and only in its room and event', async (t) => {
  for (const number of [1, 2, 31, 32, 1_000, MAX_CODE_NUMBER]) {
    const code = codeOf(KEY, 'hall', 'e', number);
    t.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
    for (const typed of [code, code.toLowerCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' ')} `]) {
      t.equal(numberOf(KEY, 'hall', 'e', typed), number, typed);
    }
    t.equal(numberOf(KEY, 'hall', 'e', code.replaceAll('0', 'o').replaceAll('1', 'l')), number);
    for (const [room, event] of [
      ['hall', 'f'],
      ['bar', 'e'],
    ] as const)
      t.equal(numberOf(KEY, room, event, code), undefined);
    const plain = code.replaceAll('-', '');
    for (let i = 0; i < plain.length; i++) {
      const wrong = plain.slice(0, i) + (plain[i] === 'Z' ? 'Y' : 'Z') + plain.slice(i + 1);
      t.equal(numberOf(KEY, 'hall', 'e', wrong), undefined, wrong);
    }
  }
  for (const wrong of ['', '000', 'ÄÖÜ', '000000000000', '------------', codeOf(KEY, 'hall', 'e', 1).slice(0, -1)]) {
    t.equal(numberOf(KEY, 'hall', 'e', wrong), undefined, wrong);
  }
  const ids = [1, 2, 3].map((number) => codeGuestId(KEY, 'hall', 'e', number));
  t.equal(new Set(ids).size, 3);
  t.equal(codeGuestId(KEY, 'hall', 'e', 1), ids[0]);
});

t.test('the code of a room is the same whatever its case, spaces and hyphens', async (t) => {
  const code = newRoomCode();
  t.ok(isRoomCode(code.toLowerCase(), code));
  t.ok(isRoomCode('spring-26', 'Spring 26'));
  t.notOk(isRoomCode('spring 2', 'Spring 26'));
  t.notOk(isRoomCode('', 'Spring 26'));
});
