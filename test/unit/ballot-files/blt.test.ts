import t from 'tap';
import { ballots, read, refusal } from './files.ts';

/** The example of Hill, Wichmann and Woodall, “Algorithm 123” (1987). */
const EXAMPLE = `4 2
-2
3 1 3 4 0
4 1 3 2 0
2 4 1 3 0
1 2 0
2 2 4 3 1 0
1 3 4 2 0
0
"Adam"
"Basil"
"Charlotte"
"Donald"
"Title"
`;

t.test('blt: the published example', async (t) => {
  const file = await read('example.blt', EXAMPLE);
  t.match(file, { title: 'Title', seats: 2, candidates: ['Adam', 'Basil', 'Charlotte', 'Donald'], withdrawn: [1] });
  t.same(ballots(file), {
    'Adam>Charlotte>Donald': 3,
    'Adam>Charlotte>Basil': 4,
    'Donald>Adam>Charlotte': 2,
    Basil: 1,
    'Basil>Donald>Charlotte>Adam': 2,
    'Charlotte>Donald>Basil': 1,
  });
});

t.test('blt: the same file on one line, with other line ends, encodings and without the last line end', async (t) => {
  const expected = await read('a.blt', EXAMPLE);
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(EXAMPLE, 'utf16le')]);
  const bigEndian = Buffer.from(utf16).swap16();
  const variants: [string, string | Uint8Array][] = [
    ['one line', EXAMPLE.replaceAll('\n', ' ')],
    ['CRLF', EXAMPLE.replaceAll('\n', '\r\n')],
    ['CR', EXAMPLE.replaceAll('\n', '\r')],
    ['byte order mark', `\ufeff${EXAMPLE}`],
    ['UTF-16 LE', utf16],
    ['UTF-16 BE', bigEndian],
    ['no last line end', EXAMPLE.trimEnd()],
    ['tabs and blank lines', EXAMPLE.replaceAll(' ', '\t ').replaceAll('\n', '  \n\n')],
    ['names without quotation marks', EXAMPLE.replaceAll('"', '')],
    ['withdrawn by an option of Droop', EXAMPLE.replace('-2', '[withdrawn 2]')],
  ];
  for (const [name, content] of variants) t.same(await read('a.blt', content), expected, name);
  t.same(await read('unknown.txt', EXAMPLE), expected, 'recognised by its first line');
});

t.test('blt: the extensions of OpenSTV and OpaVote', async (t) => {
  const file = await read(
    'a.blt',
    `# a comment
3 1 # candidates, seats
-1 -2
(A 7) 1 2=1 - 3 0 # an id, equal ranks, a skipped rank
(B#2) 1 2=1 3 0
2.5 3 0
0.25 3 0
2 0
1 - - 0
12 03 1 0
0
"Åsa #1"  # a comment
'Bo "B" Ek'
"Ch" Li"
"Title"
"Source"
"Comment"
First Prefs 1 2 3
`,
  );
  t.same(file.candidates, ['Åsa #1', `'Bo "B" Ek'`, 'Ch" Li']);
  t.equal(file.title, 'Title');
  t.same(file.withdrawn, [0, 1]);
  t.equal(file.blank, 3);
  t.same(Object.fromEntries(file.tally), { 'c1=c2>c3': 2, 'c3|w2.5': 1, 'c3|w0.25': 1, 'c3>c1': 12 });
});

t.test('blt: names in the forms that published files have', async (t) => {
  const named = async (names: string) => {
    const { candidates, title } = await read('a.blt', `2 1\n1 1 0\n0\n${names}`);
    return [...candidates, title];
  };
  t.same(await named('"Ann" "Ben"\n"Title"'), ['Ann', 'Ben', 'Title']);
  t.same(await named('"Ann" "Ben" "Title"'), ['Ann', 'Ben', 'Title']);
  t.same(await named('"Ann LEE" "Labour"\n"Ben RAE" "Greens"\n"Title"'), [
    'Ann LEE (Labour)',
    'Ben RAE (Greens)',
    'Title',
  ]);
  t.same(await named('"""Ann LEE"" ""Labour"""\n"""Ben RAE"" ""Greens"""\n"""Title"""'), [
    'Ann LEE (Labour)',
    'Ben RAE (Greens)',
    'Title',
  ]);
  t.same(await named('"Ann LEE ""Labour"""\n"Ben"\n'), ['Ann LEE "Labour"', 'Ben', undefined]);
  t.same(await named('Ann Lee (Lab)\nBen Rae (Grn)\nWard 1'), ['Ann Lee (Lab)', 'Ben Rae (Grn)', 'Ward 1']);
  t.same(await named('"Ann  LEE "\n" Ben"\n'), ['Ann  LEE ', ' Ben', undefined], 'spaces are kept');
  t.same(await named('"Smith"\n"Smith"\n""'), ['Smith', 'Smith (2)', undefined]);
});

t.test('blt: names in Windows-1252, and nicknames of Droop', async (t) => {
  const latin = Buffer.from('2 1\n1 1 0\n0\n"J\xfcrgen \x80"\n"Zo\xeb"\n"T"\n', 'latin1');
  t.same((await read('a.blt', latin)).candidates, ['Jürgen €', 'Zoë']);
  const file = await read('a.blt', '3 2\n[nick a b c]\n5 a b 0\n1 b=c 0\n0\n"A" "B" "C" "T"');
  t.same(ballots(file), { 'A>B': 5, 'B=C': 1 });
});

t.test('blt: malformed files are refused, with the place and what is expected', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /^1:1: the file is empty; expected the numbers of candidates and seats/],
    ['\n\n', /^1:1: the file is empty/],
    ['x 2\n', /^1:1: the number of candidates is "x"; expected a whole number from 1 to 1000/],
    ['0 1\n', /^1:1: the number of candidates is "0"/],
    ['100000 1\n', /^1:1: the number of candidates is "100000"/],
    ['3\n', /^1:2: the file ends before the number of seats/],
    ['3 4\n', /^1:3: the number of seats is "4"; expected a whole number from 1 to 3/],
    ['3 1,\n', /^1:3: the number of seats is "1,"/],
    ['3 2\n1 1 0\n', /^2:6: the file ends before the ballots do; expected a line with 0/],
    ['3 2\n1 1 2\n3 0\n0\n', /^2:6: the ballot does not end; expected 0 at its end, on the same line/],
    ['3 2\n1 1 2 0\n1 4 0\n', /^3:3: there is no candidate 4; expected a number from 1 to 3/],
    ['3 2\n1 1 -2 0\n', /^2:5: "-2"; expected the number of a candidate/],
    ['3 2\n1 1 2 1 0\n', /^2:7: candidate 1 is ranked twice on this ballot/],
    ['3 2\n1 1=2=1 0\n', /^2:7: candidate 1 is ranked twice/],
    ['3 2\n1 1= 0\n', /^2:5: ""; expected the number of a candidate/],
    ['3 2\n1 1 x 0\n', /^2:5: "x"; expected the number of a candidate/],
    ['3 2\n1.5.2 1 0\n', /^2:1: "1.5.2"; expected a ballot/],
    ['3 2\n0.0000001 1 0\n', /^2:1: the number of ballots is "0.0000001"/],
    ['3 2\n1e3 1 0\n', /^2:1: "1e3"; expected a ballot/],
    ['3 2\n"A"\n', /^2:1: "\\"A\\""; expected a ballot, such as "3 1 2 0", or a line with 0/],
    ['3 2\n-4\n', /^2:1: there is no candidate 4/],
    ['3 2\n1 1 0\n-2\n', /^3:1: candidate 2 withdraws after a ballot/],
    ['3 2\n(A 1 1 0\n', /^2:1: the ballot’s id does not end/],
    ['3 2\n(A)\n', /^2:1: the line ends; expected a ballot/],
    ['3 2\n[tie 1 2 3]\n', /^2:1: "\[tie …\]" is not supported/],
    ['3 2\n[nick a b\n', /^2:1: the option is not closed/],
    ['3 2\n1 1 0\n0\n', /^3:2: no candidate is named; expected 3 names after the ballots/],
    ['3 2\n1 1 0\n0\n"A"\n"B"\n', /^5:4: only 2 of 3 candidates named/],
    ['2 1\n1 1 0\n0\n"A\n"B"\n', /^4:1: the quotation mark is not closed/],
    ['2 1\n1 1 0\n0\n""\n"B"\n"T"\n', /^4:1: the name of a candidate is empty/],
    [
      '2 1\n1 1 0\n0\n"A"\n"B"\n"C"\n"D"\n"E"\n"F"\n',
      /^9:1: "F" after the title; the file says that there are 2 candidates/,
    ],
    ['2 1\n1 1 0\0\n0\n', /^2:6: not a text file; expected text/],
    ['2 1\n999999999999 1 0\n999999999999 1 0\n', /^3:1: more than 1000000000000 ballots/],
  ];
  for (const [content, expected] of cases) t.match(await refusal('a.blt', content), expected, JSON.stringify(content));
});
