import { createHash } from 'node:crypto';
import t from 'tap';
import { verifyBundle } from '../../../core/audit/bundle.ts';
import { recount } from '../../../core/rounds/recounts/recount.ts';
import { EmbeddedSeries } from '../../../core/store/series/embedded.ts';
import type { Poll } from '../../../core/voting/poll/poll.ts';
import { stage } from '../../support/stage.ts';
import { finalOf, step, votes } from './chair.ts';

/** The lines of a bundle with all hashes recomputed, as a forger would recompute them. */
function rechained(lines: readonly string[]): string[] {
  let hash = '';
  return lines.map((line) => {
    const { hash: _, ...content } = JSON.parse(line);
    hash = createHash('sha256')
      .update(`${hash}\n${JSON.stringify(content)}`)
      .digest('hex');
    return JSON.stringify({ ...content, hash });
  });
}

async function* each(lines: readonly string[]) {
  yield* lines;
}

const problemsOf = async (lines: readonly string[]) => (await verifyBundle(each(lines))).problems.join('\n');

t.test('audit: a bundle can be verified without a server, and forgeries are detected', async (t) => {
  const s = await stage(t);
  await s.openPoll('q', { kind: 'ranking', tieBreak: 'lot' });
  t.equal(
    (await s.call('GET', '/api/polls/q/audit', { operator: true })).status,
    409,
    'a round cannot be audited before its result is final',
  );
  for (const [device, choice] of Object.entries({ d1: 'abc', d2: 'ba', d3: 'c', d4: 'x' }))
    await votes(s, device, 'q', choice);
  await s.resultAfter('q', 4);
  await step(s, 'q', 'close');
  const final = await finalOf(s, 'q');
  const { body, headers } = await s.call('GET', '/api/polls/q/audit', { operator: true });
  t.match(headers.get('content-disposition'), 'q-1.audit.jsonl');
  const lines: string[] = body.trim().split('\n');
  const report = await verifyBundle(each(lines));
  t.same(report.problems, []);
  t.same(report.outcome?.accounting, final.accounting);
  t.match(report.outcome?.figures, { winners: final.winners });

  t.match(await problemsOf(lines.map((line) => line.replace('"b>a', '"a>b'))), /the hash does not match/);
  t.match(await problemsOf(lines.filter((_, i) => i !== 3)), /the hash does not match/);
  t.match(await problemsOf(lines.slice(0, -1)), /the result is missing/);
  t.match(await problemsOf(['not json']), /line 1: not JSON/);
  const voteLine = lines.findIndex((line) => line.includes('b>a'));
  t.match(
    await problemsOf(rechained(lines.filter((_, i) => i !== voteLine))),
    /the stated result differs from the recount of the log/,
  );
  t.match(
    await problemsOf(rechained([...lines.slice(0, voteLine), lines[voteLine] as string, ...lines.slice(voteLine)])),
    /the offset is not higher than that of the previous entry/,
  );
  t.match(
    await problemsOf(rechained(lines.map((line) => line.replace('"seats":2', '"seats":1')))),
    /^$/,
    'a bundle with recomputed hashes but no other change is valid',
  );
  const forged = lines.map((line, i) => (i === 0 ? line.replace('"method":"irv"', '"method":"borda"') : line));
  t.match(await problemsOf(rechained(forged)), /the definition in the open marker differs/);
  const edited = (change: (header: { record: { lot: string[] }; poll: string }) => void) => {
    const { header } = JSON.parse(lines[0] as string);
    change(header);
    return problemsOf(rechained([JSON.stringify({ header }), ...lines.slice(1)]));
  };
  t.match(
    await edited(({ record }) => record.lot.reverse()),
    /the drawn lot does not match its seed[\s\S]*the record in the open marker differs/,
  );
  const electorate = { heads: 1, weight: '1', groups: {} };
  t.match(await edited(({ record }) => Object.assign(record, { electorate })), /the record in the open marker differs/);
  t.match(await edited((header) => Object.assign(header, { poll: 'other' })), /names poll other but defines poll q/);
  const moved = lines.map((line, i) => (i === voteLine ? line.replace(/"partition":\d+/, '"partition":99') : line));
  t.match(await problemsOf(rechained(moved)), /there is no partition 99/);
  const unclosed = lines.filter((line) => !line.includes('\\"type\\":\\"close\\"'));
  t.match(await problemsOf(rechained(unclosed)), /the close marker is missing from the log/);
});

t.test('recount: differences from a dashboard or the time series are reported', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await votes(s, 'd', 'q', 'a');
  await s.resultAfter('q', 1);
  await step(s, 'q', 'close');
  const final = await finalOf(s, 'q');
  const { body } = await s.call('POST', '/api/polls/q/recount', { operator: true });
  t.match(body, { agrees: true, compared: ['live tally', 'dashboard', 'time series'], accounting: { received: 1 } });
  const { store, polls } = s.pollcast;
  const wrong = await EmbeddedSeries.open(t.testdir());
  t.teardown(() => wrong.close());
  const poll = polls.get('q') as Poll;
  const live = { ...final, accounting: { ...final.accounting, counted: 2 } };
  const found = await recount({ store, series: wrong, poll, served: async () => live, followLimitMs: 300 });
  t.equal(found.agrees, false);
  t.match(found.differences, [
    /dashboard, accounting: .*"counted":2/,
    /time series, votes: 0, recounted 1/,
    /time series, option a: 0, recounted 1/,
  ]);
});
