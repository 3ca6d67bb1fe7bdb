import { createHash } from 'node:crypto';
import t from 'tap';
import { verifyBundle } from '../../../core/audit/bundle.ts';
import { stage } from '../../support/stage.ts';
import { create, DOOR, finalOf, register, step } from './chair.ts';

async function* each(lines: readonly string[]) {
  yield* lines;
}

const problemsOf = async (lines: readonly string[]) => (await verifyBundle(each(lines))).problems.join('\n');

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

/** As many options as voters, so that each ballot can be told. */
const KEYS = [...'abcdefghij'];
const options = KEYS.map((key) => ({ key, label: key }));
/** Times in ms of this century. */
const TIME = /\b1[5-9]\d{11}\b/g;

async function secretRound(t: Parameters<typeof stage>[0], settings: object = {}) {
  const s = await stage(t, DOOR);
  await create(s, 'q', { options, secrecy: 'secret', visibility: 'closed', eligible: 'registered', ...settings });
  await step(s, 'q', 'open');
  return s;
}

t.test(
  'the audit bundle of a secret round tells neither when nor in which order nor how often somebody voted',
  async (t) => {
    const s = await secretRound(t);
    for (const [i, key] of KEYS.entries()) {
      const { vote, client } = await register(s, `clicker-${i}`, i === 0 ? { mandates: [{ mandate: 'm' }] } : {});
      // The first one is undecided.
      if (i === 0) for (const first of ['b', 'c', 'd']) await vote('vote/q', first);
      await vote('vote/q', key, { qos: i % 2 === 0 ? 1 : 2 });
      await client.endAsync();
    }
    await (await register(s, 'odd')).vote('vote/q', 'nonsense');
    await s.resultAfter('q', KEYS.length + 8);
    await step(s, 'q', 'close');
    const final = await finalOf(s, 'q');
    const audit = async () => (await s.call('GET', '/api/polls/q/audit', { operator: true })).body as string;
    const text = await audit();
    const lines = text.trim().split('\n');
    const report = await verifyBundle(each(lines));
    t.same(report.problems, []);
    t.same(report.outcome?.accounting, final.accounting);
    t.match(report.outcome?.figures, { options: final.options });
    t.match(final.accounting, { counted: 11, replaced: 6, rejected: { 'unknown-option': 1 } });
    t.equal(await audit(), text, 'another export has the hash that was published');

    const { record } = JSON.parse(lines[0] as string).header;
    const times = new Set([record.openedAtMs, record.stoppedAtMs, record.closedAtMs].map(String));
    t.same(
      [...text.matchAll(TIME)].map(([time]) => time).filter((time) => !times.has(time)),
      [],
    );
    t.notMatch(text, /"(offset|partition|sequence|producer|connection)"/);
    const ballots = lines.map((line) => JSON.parse(line).ballot).filter((ballot) => ballot !== undefined);
    t.equal(ballots.length, 11);
    for (const ballot of ballots) t.equal(ballot.length, 2, 'a pseudonym and a choice, nothing else');
    const voters = ballots.map(([voter]) => voter);
    t.same(voters, [...voters].sort(), 'in the order of keyed hashes, whose key is gone');
  },
);

t.test('forged bundles of secret rounds are detected', async (t) => {
  const s = await secretRound(t, { tieBreak: 'lot' });
  for (const [i, key] of ['a', 'b', 'b'].entries()) await (await register(s, `clicker-${i}`)).vote('vote/q', key);
  await s.resultAfter('q', 3);
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  const { body } = await s.call('GET', '/api/polls/q/audit', { operator: true });
  const lines: string[] = body.trim().split('\n');
  t.equal(await problemsOf(lines), '');
  const at = (part: string) => lines.findIndex((line) => line.startsWith(`{"${part}"`));
  const [first, apart, close] = [at('ballot'), at('apart'), at('apart') + 1];
  const without = (...gone: number[]) => rechained(lines.filter((_, i) => !gone.includes(i)));
  t.match(await problemsOf(lines.filter((_, i) => i !== first)), /the hash does not match/);
  t.match(await problemsOf(without(first)), /the stated result differs/);
  const twice = rechained(lines.flatMap((line, i) => (i === first ? [line, line] : [line])));
  t.match(await problemsOf(twice), /a voter has two ballots/);
  const swapped = [...lines];
  [swapped[first], swapped[first + 1]] = [lines[first + 1] as string, lines[first] as string];
  t.match(await problemsOf(rechained(swapped)), /not in the order of their pseudonyms/);
  t.match(await problemsOf(without(apart)), /what became of the other votes is missing/);
  t.match(await problemsOf(without(close)), /the close marker is missing/);
  t.match(await problemsOf(without(1)), /not between the markers[\s\S]*open marker/);
  for (const odd of ['{"ballot":["x"]}', '{"ballot":null}', '{"apart":{}}', '{"entry":"nonsense"}', '{"other":1}']) {
    const forged = rechained([...lines.slice(0, apart), odd, ...lines.slice(apart)]);
    t.match(await problemsOf(forged), /expected (markers, ballots|a marker)/, odd);
  }
});

t.test('a bundle of a secret round that an earlier version exported can still be verified', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  await (await s.device('pseudonym')).vote('vote/q', 'a');
  await s.resultAfter('q', 1);
  await step(s, 'q', 'close');
  await finalOf(s, 'q');
  const { body } = await s.call('GET', '/api/polls/q/audit', { operator: true });
  // Earlier versions had no records of the audit trail.
  const exported: string[] = body.trim().split('\n');
  const lines = exported
    .filter((line) => !('record' in JSON.parse(line)))
    .map((line) => line.replace('"version":3', '"version":1'));
  t.match(JSON.parse(lines[0] as string), { header: { version: 1 } });
  const [plain, quoted] = ['"visibility":"live"', '\\"visibility\\":\\"live\\"'];
  const secret = lines.map((line) =>
    line.replaceAll(plain, `${plain},"secrecy":"secret"`).replaceAll(quoted, `${quoted},\\"secrecy\\":\\"secret\\"`),
  );
  const report = await verifyBundle(each(rechained(secret)));
  t.same(report.problems, []);
  t.equal(report.outcome?.accounting.counted, 1);
});

async function bundleOf(s: Awaited<ReturnType<typeof stage>>) {
  const final = await finalOf(s, 'q');
  const { body } = await s.call('GET', '/api/polls/q/audit', { operator: true });
  const lines: string[] = body.trim().split('\n');
  const report = await verifyBundle(each(lines));
  const ballots = lines.map((line) => JSON.parse(line).ballot).filter((ballot) => ballot !== undefined);
  const { closedAtMs } = JSON.parse(lines[0] as string).header.record;
  return { final, report, casts: ballots.map(([, cast]) => cast), closedAtMs };
}

t.test('the ballots of a secret pulse do not tell when they were cast', async (t) => {
  const s = await secretRound(t, { kind: 'pulse' });
  await (await register(s, 'clicker')).vote('vote/q', 'a');
  await s.resultAfter('q', 1);
  await step(s, 'q', 'close');
  const { final, report, casts, closedAtMs } = await bundleOf(s);
  t.same(report.problems, []);
  t.match(report.outcome?.figures, { options: final.options });
  t.same(casts, [`a|s${Math.ceil(closedAtMs / 1_000)}`], 'all that count at the close are as if cast then');
});

t.test('late ballots of a secret round are counted apart, because few voters are late', async (t) => {
  const s = await secretRound(t, { lateGraceMs: 60_000 });
  const [one, two] = [await register(s, 'clicker-1'), await register(s, 'clicker-2')];
  await one.vote('vote/q', 'a');
  const t0 = Date.now();
  await step(s, 'q', 'close');
  await two.vote('vote/q', JSON.stringify({ c: 'b', t: t0 - 1 }));
  await s.resultAfter('q', 2);
  await step(s, 'q', 'close');
  const { final, report, casts } = await bundleOf(s);
  t.same(report.problems, []);
  t.match(final, { late: 1, ballots: 2 });
  t.match(report.outcome?.figures, { late: 1 });
  t.same(casts.sort(), ['a', 'b']);
});
