import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { checksum } from '../../../../core/voting/count/entries/checksum.ts';
import { decodeEntry, encodeEntry, readEntry } from '../../../../core/voting/count/entries/codec.ts';
import { VoteColumns } from '../../../../core/voting/count/entries/columns.ts';
import { entryText, jsonOf } from '../../../../core/voting/count/entries/json.ts';
import type { VoteEntry } from '../../../../core/voting/count/entry.ts';
import { packetOf } from '../../../../core/voting/count/packet.ts';
import type { Vote } from '../../../../core/voting/count/vote.ts';
import { plain } from '../../../support/plain-entry.ts';
import { votesOf } from './logs.ts';

const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const aNumber = fc.oneof(fc.nat(70), fc.nat(20_000), fc.maxSafeNat());
/** Any string of JavaScript, also one that is not Unicode. */
const aString = fc.oneof(
  fc.constantFrom('', 'd1', 'clicker-7', '__proto__', '\ud800', 'é', 'ä'.repeat(80)),
  fc.string({ unit: 'binary' }),
);
const aVote: fc.Arbitrary<Vote> = fc.record({
  device: fc.oneof(fc.constantFrom('d1', 'd2', 'd3'), aString),
  choice: fc.oneof(fc.constantFrom('a', 'b'), aString),
  n: maybe(aNumber),
  t: maybe(aNumber),
  dup: fc.boolean(),
  connection: maybe(aNumber),
  packet: maybe(fc.record({ id: fc.nat(65_535), hash: fc.nat(2 ** 32 - 1) }).map(({ id, hash }) => packetOf(id, hash))),
  mayRepeat: fc.boolean(),
});
const counts = fc.dictionary(fc.oneof(fc.constantFrom('empty', 'closed', '__proto__'), aString), fc.nat(), {
  maxKeys: 3,
});
/** Votes of any kind, or all alike, as devices send them. */
const someVotes = fc.oneof(
  fc.array(aVote, { maxLength: 12 }),
  fc.record({ vote: aVote, n: fc.nat(300), devices: fc.integer({ min: 1, max: 300 }) }).map(({ vote, n, devices }) =>
    Array.from({ length: n }, (_, i) => ({
      ...vote,
      device: `d${i % devices}`,
      packet: packetOf(1 + i, 7),
      connection: i % devices,
    })),
  ),
);
const anEntry: fc.Arbitrary<VoteEntry> = fc.record({
  type: fc.constant('votes' as const),
  producer: aString,
  sequence: aNumber,
  atMs: fc.oneof(aNumber, fc.constant(1_700_000_000_000.5)),
  rounds: fc.array(
    fc.record({
      poll: aString,
      round: aNumber,
      votes: someVotes.map((votes) => VoteColumns.of(votes)),
      rejected: counts,
    }),
    { maxLength: 3 },
  ),
  refused: counts,
});
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

t.test('any entry of votes is read from bytes as it was written, and has the same text', async () => {
  fc.assert(
    fc.property(anEntry, (entry) => {
      const read = decodeEntry(encodeEntry(entry)) as VoteEntry;
      return same(plain(read), plain(entry)) && entryText(read) === entryText(entry);
    }),
    { numRuns: 500 },
  );
});

t.test('format 1 is still written for others, and read', async () => {
  fc.assert(
    fc.property(anEntry, (entry) => {
      const stored = encodeEntry(entry, 1);
      return stored[0] === 0x7b && entryText(decodeEntry(stored)) === entryText(entry);
    }),
  );
});

t.test('an entry that is cut off, or has bytes changed, is never read as votes', async (t) => {
  const numbered = (i: number): Vote => ({ device: `d${i % 5}`, choice: 'abc'[i % 3] as string, n: i, t: 1e12 + i });
  const wrapped = (i: number): Vote => ({
    device: `d${i}`,
    choice: 'a',
    connection: 9 + i,
    packet: packetOf(i, 77),
    mayRepeat: i > 3,
  });
  for (const vote of [numbered, wrapped]) {
    const bytes = encodeEntry(
      votesOf(
        Array.from({ length: 40 }, (_, i) => vote(i)),
        { refused: { empty: 3 } },
      ),
    );
    for (let end = 0; end < bytes.length; end++)
      t.equal(readEntry(bytes.subarray(0, end)).type, 'unreadable', `cut at ${end}`);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      if (readEntry(flipped).type !== 'unreadable') t.fail(`bit ${bit}: ${readEntry(flipped).type}`);
    }
    t.equal(readEntry(Buffer.concat([bytes, Buffer.alloc(1)])).type, 'unreadable');
  }
  fc.assert(
    fc.property(anEntry, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }), (entry, place, by) => {
      const bytes = encodeEntry(entry);
      const damaged = Buffer.from(bytes);
      damaged.set(by.subarray(0, Math.max(0, bytes.length - (place % bytes.length))), place % bytes.length);
      return damaged.equals(bytes) || readEntry(damaged).type === 'unreadable';
    }),
    { numRuns: 500 },
  );
});

t.test('bytes with a right checksum, but nonsense behind it, are unreadable and not a reason to stop', async () => {
  const bytes = encodeEntry(votesOf([{ device: 'd', choice: 'a', connection: 1, packet: 7 }]));
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.integer({ min: 6, max: bytes.length - 1 }), by: fc.nat(255) })),
      (changes) => {
        const changed = Buffer.from(bytes);
        for (const { at, by } of changes) changed[at] = by;
        const { type } = readEntry(resealed(changed));
        return type === 'unreadable' || type === 'votes';
      },
    ),
    { numRuns: 2_000 },
  );
  fc.assert(fc.property(fc.uint8Array(), (some) => readEntry(Buffer.from([0xb7, ...some])).type === 'unreadable'));
});

t.test('an entry in a later format is not damaged', async (t) => {
  const bytes = Buffer.from(encodeEntry(votesOf([{ device: 'd', choice: 'a' }])));
  bytes[1] = 3;
  t.match(readEntry(bytes), { type: 'unreadable', why: 'its checksum is wrong' });
  t.same(readEntry(resealed(bytes)), { type: 'newer', format: 3 });
});

const HEX = [
  'b7025a78f24e0672756ec8010000000000001440010a656d707479010102710100040304643104643208642fc3a90001',
  '0002040261026208617c77320000010203030101010007010003010100000100010b0000000c00000000000000000000',
  '00030000010105a704030000010080a0abfef9620402000100',
].join('');
/** Of the text in format 1, as it was before there were others. */
const TEXT_HASH = 'ac3f8872a1e85e07';

t.test('the bytes of an entry never change, because logs keep them', async (t) => {
  const votes = [
    { device: 'd1', choice: 'a', connection: 7, packet: packetOf(1, 11), mayRepeat: true },
    { device: 'd2', choice: 'b', connection: 8, packet: packetOf(1, 12) },
    { device: 'd1', choice: 'a|w2', connection: 7, n: 5, t: 1_700_000_000_000, dup: true },
    { device: 'd/é', choice: '', n: 300 },
  ];
  const entry = { ...votesOf(votes), producer: 'run', sequence: 200, refused: { empty: 1 } };
  const bytes = encodeEntry(entry);
  t.equal(bytes.toString('hex'), HEX);
  t.equal(createHash('sha256').update(jsonOf(entry)).digest('hex').slice(0, 16), TEXT_HASH);
});

/** The bytes with the checksum that belongs to them. */
function resealed(bytes: Buffer): Buffer {
  const sealed = Buffer.from(bytes);
  sealed.writeUInt32LE((checksum(sealed, 6) ^ Math.imul(sealed[1] as number, 0x9e3779b1)) >>> 0, 2);
  return sealed;
}
