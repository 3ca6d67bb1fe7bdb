import fc from 'fast-check';
import t from 'tap';
import { CountError, countFile } from '../../../core/ballot-files/count.ts';
import { BallotFileError, keyOf } from '../../../core/ballot-files/formats/ballot-file.ts';
import { METHOD_NAMES, methodOf } from '../../../core/ballot-files/methods.ts';
import { ballots, read } from './files.ts';

const VALID: Record<string, string> = {
  'a.blt': '3 2\n-3\n(x) 1 1=2 - 3 0\n2.5 3 1 0\n4 2 0 # c\n0\n"A"\n"B"\n"C"\n"T"\n',
  'a.toi': '# TITLE: T\n# NUMBER VOTERS: 5\n# ALTERNATIVE NAME 1: A\n# ALTERNATIVE NAME 2: B\n3: 1,2\n2: {1,2}\n',
  'old.soi': '2\n1,A\n2,B\n5,5,2\n3,1,2\n2,2\n',
  'ranks.csv': 'id,1st,2nd\n1,"Lee, A",B\n2,B,undervote\n3,overvote,B\n',
  'candidates.csv': 'id;A;B\n1;1;2\n2;;1\n',
  'a.jsonl': '{"header":{"format":"pollcast audit bundle"}}\n',
};
const NOISE = [
  '"',
  '0',
  '-1',
  '\n',
  '#',
  '{',
  '}',
  '(',
  ',',
  ';',
  '=',
  '9',
  '\0',
  '\r',
  ' ',
  'x',
  '\u{1f600}',
  '[nick',
];

t.test('ballot files: whatever is in a file, it is read, or refused with a place in it', async () => {
  const change = fc.record({ at: fc.nat(120), cut: fc.nat(3), put: fc.constantFrom(...NOISE, '') });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(VALID)),
      fc.array(change, { maxLength: 4 }),
      async (name, changes) => {
        let content = VALID[name] as string;
        for (const { at, cut, put } of changes) content = content.slice(0, at) + put + content.slice(at + cut);
        try {
          const file = await read(name, content);
          for (const method of METHOD_NAMES.filter((one) => methodOf(one).forms.includes(file.form))) {
            countFile(file, { method, seats: method === 'stv' ? (file.seats ?? 1) : undefined });
          }
        } catch (error) {
          if (error instanceof CountError) return;
          if (!(error instanceof BallotFileError)) throw error;
          const { line, column } = error.place;
          const lines = content.split(/\r\n|\n|\r/);
          // The end of a file may be told as the place after its last line.
          if (!(line >= 1 && line <= lines.length + 1 && column >= 1))
            throw new Error(`${line}:${column}: ${error.message}`);
        }
      },
    ),
    { numRuns: 500 },
  );
});

t.test('ballot files: the same ballots give the same tally in BLT and PrefLib files', async () => {
  const candidates = 6;
  const ballot = fc.record({
    heads: fc.integer({ min: 1, max: 9 }),
    // Each candidate has a rank; equal ranks are level, and rank 0 is none.
    ranks: fc.array(fc.nat(candidates), { minLength: candidates, maxLength: candidates }),
  });
  const groupsOf = (ranks: readonly number[]) =>
    Array.from({ length: candidates }, (_, rank) => ranks.flatMap((of, i) => (of === rank + 1 ? [i + 1] : []))).filter(
      (group) => group.length > 0,
    );
  await fc.assert(
    fc.asyncProperty(fc.array(ballot, { minLength: 1, maxLength: 12 }), async (cast) => {
      const names = Array.from({ length: candidates }, (_, i) => `N${i + 1}`);
      const groups = cast.map(({ heads, ranks }) => ({ heads, groups: groupsOf(ranks) }));
      const blt = await read(
        'a.blt',
        [
          `${candidates} 1`,
          ...groups.map(({ heads, groups: of }) => [heads, ...of.map((group) => group.join('=')), 0].join(' ')),
          '0',
          ...names.map((name) => `"${name}"`),
        ].join('\n'),
      );
      const preflib = await read(
        'a.toi',
        [
          ...names.map((name, i) => `# ALTERNATIVE NAME ${i + 1}: ${name}`),
          ...groups.map(({ heads, groups: of }) => `${heads}: ${of.map((group) => `{${group.join(',')}}`).join(',')}`),
        ].join('\n'),
      );
      const expected = new Map<string, number>();
      let blank = 0;
      for (const { heads, groups: of } of groups) {
        const choice = of.map((group) => group.map((number) => keyOf(number - 1)).join('=')).join('>');
        if (choice === '') blank += heads;
        else expected.set(choice, (expected.get(choice) ?? 0) + heads);
      }
      for (const file of [blt, preflib]) {
        if (file.blank !== blank || JSON.stringify([...file.tally].sort()) !== JSON.stringify([...expected].sort())) {
          throw new Error(JSON.stringify([ballots(file), [...expected], file.blank, blank]));
        }
      }
    }),
    { numRuns: 200 },
  );
});
