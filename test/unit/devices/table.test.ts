import t from 'tap';
import { demandValid } from '../../../core/devices/check.ts';
import { readDeviceTable } from '../../../core/devices/import/table.ts';
import type { Refusal } from '../../../core/runtime/refusal.ts';

const utf8 = (text: string) => Buffer.from(text, 'utf8');
const utf16 = (text: string, isBig = false) => {
  const bytes = Buffer.from(text, 'utf16le');
  return isBig ? bytes.swap16() : bytes;
};
/** What the table is refused for. */
const problemsOf = (text: string | Buffer) => {
  try {
    const { devices, rows } = readDeviceTable(Buffer.from(text));
    demandValid(devices, rows);
  } catch (error) {
    const { message, problems } = error as Refusal;
    return problems.length > 0 ? [...problems] : [message];
  }
  return [];
};

t.test('a table is read in every encoding in which spreadsheets save it', async (t) => {
  const text = 'device,label\r\nd1,Jürgen Đặng\r\nd2,日本\r\n';
  const files: [string, Buffer][] = [
    ['UTF-8', utf8(text)],
    ['UTF-8', utf8(`\ufeff${text}`)],
    ['UTF-16LE', utf16(`\ufeff${text}`)],
    ['UTF-16BE', utf16(`\ufeff${text}`, true)],
    ['UTF-16LE', utf16(text)],
    ['UTF-16BE', utf16(text, true)],
  ];
  for (const [encoding, bytes] of files) {
    t.match(readDeviceTable(bytes), {
      encoding,
      devices: [
        { device: 'd1', label: 'Jürgen Đặng' },
        { device: 'd2', label: '日本' },
      ],
      rows: [2, 3],
    });
  }
  const western = Buffer.concat([utf8('device;label\nd1;M'), Buffer.from([0xfc]), utf8('ller '), Buffer.from([0x80])]);
  t.match(readDeviceTable(western), { encoding: 'Windows-1252', devices: [{ label: 'Müller €' }] });
  t.match(problemsOf(Buffer.concat([utf16('\ufeffdevice\n'), Buffer.from([0x41])])), [/UTF-16LE/]);
  t.match(problemsOf(Buffer.concat([utf8('\ufeffdevice\n'), Buffer.from([0xfc])])), [/UTF-8/]);
});

t.test('separators and decimal commas are recognised', async (t) => {
  const read = (text: string) => readDeviceTable(utf8(text));
  t.match(read('device;label;weight\nd;Hall, left;12,5'), {
    separator: ';',
    devices: [{ label: 'Hall, left', weight: '12.5' }],
  });
  t.match(read('device\tlabel\tweight\nd\tHall; left\t0,25'), {
    separator: '\t',
    devices: [{ label: 'Hall; left', weight: '0.25' }],
  });
  t.match(
    read('\tdevice\tweight\n\td\t0,5'),
    { devices: [{ device: 'd', weight: '0.5' }] },
    'the first column is empty',
  );
  t.match(read('device,label,notes; remarks\nd,x,y'), { separator: ',', devices: [{ device: 'd', label: 'x' }] });
  t.match(read('device;weight\nd;12.5'), { devices: [{ weight: '12.5' }] });
  t.match(read('sep=;\r\ndevice;label\r\nd;a,b\r\n'), { separator: ';', devices: [{ label: 'a,b' }], rows: [2] });
  t.match(read('SEP=,\ndevice,label\nd,a;b\n'), { separator: ',', devices: [{ label: 'a;b' }] });
  t.match(read('"sep=\t"\ndevice\tlabel\nd\tx\n'), { separator: '\t', devices: [{ label: 'x' }] });
  t.match(read('device\nd1\nd2\n'), { devices: [{ device: 'd1' }, { device: 'd2' }] });
  t.match(problemsOf('device,weight\nd,"12,5"'), [/^row 2: weight: must be a number.*12,5/], 'in a table with commas');
});

t.test('columns may be in any order and case; unknown ones are ignored and named', async (t) => {
  const table = readDeviceTable(utf8('Label,Colour, DEVICE ,,Group,Seat no.\nOne,red,d,x,g,4\n'));
  t.same(table.devices, [{ device: 'd', label: 'One', group: 'g' }]);
  t.same(table.ignoredColumns, ['Colour', 'Seat no.']);
  t.match(problemsOf('name,label\nx,y'), [/must name the columns.*"name", "label"/]);
  t.match(problemsOf('device,label,Label\nd,x,y'), [/two columns are called label/]);
  t.match(problemsOf(''), [/must name the columns/]);
  t.match(problemsOf('device\n\n'), [/no devices/]);
  t.match(problemsOf('device,label\nd,x,y'), [/^row 2: has more cells/]);
  t.same(problemsOf('device,label\nd,x,,\n'), [], 'empty cells at the end are harmless');
  t.match(problemsOf(`device\n${Array.from({ length: 5_001 }, (_, i) => `d${i}`).join('\n')}`), [/at most 5000.*5001/]);
});

t.test('rows are numbered as in the spreadsheet, and blank ones are skipped', async (t) => {
  const text = [
    '',
    'device,label,weight',
    '',
    'd1,"Two',
    'lines",1',
    ',,',
    'd 2,x,1',
    'd3,y,none',
    'd1,z,1',
    `d4,"${'x'.repeat(101)}",1`,
    'guest-1,,',
  ];
  for (const newline of ['\n', '\r\n', '\r']) {
    t.match(problemsOf(text.join(newline)), [
      /^row 6: device: must be .*"d 2"/,
      /^row 7: weight: .*"none"/,
      /^row 8: device: "d1" occurs twice, first in row 4$/,
      /^row 9: label: .*100.*101/,
      /^row 10: device: .*reserved/,
    ]);
  }
  const table = readDeviceTable(utf8('device,label\r\n\r\nd1,"Two\r\nlines"\n;\nd2,"a ""b"""\n'));
  t.match(table.devices[0], { label: 'Two lines' }, 'a line break in a cell is a space');
});

t.test('mandates are listed in a cell', async (t) => {
  const read = (text: string) => readDeviceTable(utf8(text)).devices.map(({ mandates }) => mandates);
  t.same(read('device,mandates\nd,ann bob=2@north cy@south\ne,"ann, bob;cy"\nf,'), [
    [{ mandate: 'ann' }, { mandate: 'bob', weight: '2', group: 'north' }, { mandate: 'cy', group: 'south' }],
    [{ mandate: 'ann' }, { mandate: 'bob' }, { mandate: 'cy' }],
    null,
  ]);
  t.same(read('device;mandates\nd;ann=2,5@north 101,102'), [
    [{ mandate: 'ann', weight: '2.5', group: 'north' }, { mandate: '101' }, { mandate: '102' }],
  ]);
  t.match(problemsOf('device,mandates\nd,ann=\ne,a@b@c'), [/^row 2: mandates: expected id/, /^row 3: mandates/]);
  t.match(problemsOf('device,mandates\nd,ann ann\ne,e'), [/^row 2: mandates: .*twice/, /^row 3: mandates: .*itself/]);
  t.match(problemsOf('device,mandates\nd,ann=x'), [/^row 2: mandates\[0\].weight/]);
});

t.test('labels contain no control or bidi characters', async (t) => {
  for (const point of [0x00, 0x07, 0x1b, 0x7f, 0x85, 0x9d, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069, 0x61c]) {
    const label = `a${String.fromCodePoint(point)}b`;
    t.match(
      problemsOf(`device,label\nd,"${label}"`),
      [/^row 2: label: contains a control or text-direction/],
      `U+${point.toString(16)}`,
    );
  }
  t.same(problemsOf('device,label\nd,👩‍💻 می‌خواهم שלום'), []);
});
