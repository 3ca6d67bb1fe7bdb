import t from 'tap';
import { idsIn } from '../../../dashboards/pages/operator/devices/chosen/ids.ts';

t.test('ids are found in lists as people write them', async (t) => {
  t.same(idsIn('seat-1\r\nseat-2\n\n  seat-3  \n'), ['seat-1', 'seat-2', 'seat-3']);
  t.same(idsIn('seat-1, seat-2;seat-3\tseat-1'), ['seat-1', 'seat-2', 'seat-3'], 'separated, and without duplicates');
  t.same(idsIn('"seat-1"\n"seat-2"'), ['seat-1', 'seat-2']);
  t.same(idsIn(''), []);
  t.same(idsIn(' ,;\n'), []);
});

t.test('in a table, the ids are those of the column “device”', async (t) => {
  t.same(idsIn('device,label\nseat-1,First\nseat-2,"Second, or not"\n'), ['seat-1', 'seat-2']);
  t.same(idsIn('"label";"Device"\n"Müller, Ann; A";seat-1\n;"seat-2"'), ['seat-1', 'seat-2']);
  t.same(idsIn('\ufeffdevice\nseat-1\nseat-2\n'), ['seat-1', 'seat-2'], 'with a byte order mark');
  t.same(idsIn('label\tdevice\r\nx\tseat-1\r\nonly a label'), ['seat-1']);
  const utf16 = Buffer.from('\ufeffdevice\tlabel\r\nseat-1\tx\r\n', 'utf16le').toString();
  t.same(idsIn(utf16), ['seat-1'], 'saved as UTF-16');
});
