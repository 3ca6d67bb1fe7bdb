import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { pollcast } from '../../support/process.ts';
import { stage } from '../../support/stage.ts';
import { finalOf, step, votes } from '../polls/chair.ts';

const BLT = '3 2\n4 1 3 0\n3 2 3 0\n2 3 0\n1 0\n0\n"Ann"\n"Ben"\n"Zoë"\n"Board"\n';

t.test('pollcast count: prints the stages, or JSON with the winners', async (t) => {
  const directory = t.testdir({ 'board.blt': BLT, 'ballots.txt': BLT });
  writeFileSync(join(directory, 'board.blt.gz'), gzipSync(BLT));
  const run = (...args: string[]) => pollcast(['count', ...args], {}, directory);
  const { code, stdout, stderr } = await run('board.blt');
  t.match({ code, stderr }, { code: 0, stderr: '' });
  t.match(
    stdout,
    /^ {2}Board\n {2}single transferable vote.*2 seats, 3 candidates\n {2}9 ballots, 1 blank \(not counted\), quota 4\n/,
  );
  t.match(stdout, /candidate +stage 1[\s\S]*Ann +4 [\s\S]*Zoë +2 /);
  t.match(stdout, /elected: Ann, Ben\n$/);
  t.match(JSON.parse((await run('board.blt', '--json')).stdout), {
    title: 'Board',
    method: 'stv',
    seats: 2,
    ballots: 9,
    blank: 1,
    winners: ['Ann', 'Ben'],
    unresolved: [],
    quota: '4',
    stages: [{ what: 'first preferences', votes: [{ name: 'Ann', votes: '4' }] }],
  });
  t.same(await run('board.blt.gz'), { code, stdout, stderr }, 'compressed');
  t.same(await run('ballots.txt', '--format', 'blt'), { code, stdout, stderr }, 'with another ending');
  t.match((await run('board.blt', '--method', 'irv')).stdout, /round 1: eliminated: Zoë[\s\S]*elected: Ann/);
  t.match((await run('board.blt', '--withdraw', 'Ann', '--seats', '1')).stdout, /withdrawn: Ann[\s\S]*elected: Zoë/);
  t.match(
    (await run('board.blt', '--method', 'condorcet')).stdout,
    /preferred to +\(1\)[\s\S]*beats every other candidate/,
  );
});

t.test('pollcast count: level candidates, and what decides between them', async (t) => {
  const directory = t.testdir({ 'tie.blt': '2 1\n1 1 0\n1 2 0\n0\n"Lee, Ann"\n"Ben"\n' });
  const run = (...args: string[]) => pollcast(['count', 'tie.blt', ...args], {}, directory);
  t.match(await run(), { code: 0, stdout: /undecided between: Lee, Ann, Ben \(--tie-break or --lot decides\)\n$/ });
  t.match((await run('--lot', 'Ben,"Lee, Ann"')).stdout, /elected: Ben\n.*level: Lee, Ann, Ben; decided by lot/);
  t.match((await run('--tie-break', 'order')).stdout, /elected: Lee, Ann\n.*decided by order/);
  t.match(JSON.parse((await run('--json')).stdout), { winners: [], unresolved: ['Lee, Ann', 'Ben'] });
});

t.test('pollcast count: tables', async (t) => {
  const directory = t.testdir({
    'cvr.csv': 'id,1st,2nd\n1,Ann,Ben\n2,Ben,\n3,,Ann\n4,overvote,Ann\n',
    'scores.csv': 'Ann,Ben\n5,1\n4,4\n',
  });
  const run = async (...args: string[]) =>
    JSON.parse((await pollcast(['count', '--json', ...args], {}, directory)).stdout);
  t.match(await run('cvr.csv'), { method: 'irv', winners: ['Ann'], ballots: 3, blank: 1 });
  t.match(await run('cvr.csv', '--overvotes', 'skip', '--max-skipped', 'all'), { ballots: 4, blank: 0 });
  t.match(await run('scores.csv', '--method', 'star'), { winners: ['Ann'] });
  t.match(await run('scores.csv', '--method', 'score'), { winners: ['Ann'], options: [{ name: 'Ann', count: 9 }] });
});

t.test(
  'pollcast count: malformed files and wrong flags end with exit code 2, the place and what is expected',
  async (t) => {
    const directory = t.testdir({
      'bad.blt': '3 2\n1 4 0\n',
      'good.blt': BLT,
      'bad.csv': 'A,B\n1,x\n',
      'bad.jsonl': '{}\n',
    });
    const refused = async (...args: string[]) => {
      const { code, stdout, stderr } = await pollcast(['count', ...args], {}, directory);
      t.match({ code, stdout }, { code: 2, stdout: '' }, args.join(' '));
      t.notMatch(stderr, /\n +at /, 'no stack trace');
      return stderr;
    };
    t.equal(await refused('bad.blt'), 'bad.blt:2:3: there is no candidate 4; expected a number from 1 to 3\n');
    t.match(await refused('bad.csv'), /^bad.csv:2:3: "x"; expected a rank/);
    t.match(await refused('bad.jsonl'), /^bad.jsonl:1:1: .*expected the header of an audit bundle/);
    t.match(await refused('none.blt'), /none.blt cannot be read \(ENOENT/);
    t.match(await refused('none.blt.gz'), /none.blt.gz cannot be read/);
    t.match(await refused('good.blt', '--method', 'x'), /Allowed choices are irv, stv/);
    t.match(await refused('good.blt', '--tie-break', 'x'), /expected none, order or lot:SEED/);
    t.match(await refused('good.blt', '--lot', '"Ann'), /lot: .* is not a list/);
    t.match(await refused('good.blt', '--method', 'star'), /star counts grades/);
    t.match(await refused(), /missing required argument 'file'/);
  },
);

t.test('pollcast count: an audit bundle, counted like its poll, or by another method', async (t) => {
  const s = await stage(t);
  const bundleOf = async (poll: string, settings: object, choices: readonly string[]) => {
    await s.openPoll(poll, settings);
    for (const [i, choice] of choices.entries()) await votes(s, `d${i}`, poll, choice);
    await s.resultAfter(poll, choices.length);
    await step(s, poll, 'close');
    const final = await finalOf(s, poll);
    const { body } = await s.call('GET', `/api/polls/${poll}/audit`, { operator: true });
    writeFileSync(join(s.directory, `${poll}.jsonl`), body);
    return final;
  };
  const run = async (...args: string[]) => {
    const { stdout, stderr } = await pollcast(['count', '--json', ...args], {}, s.directory);
    if (stderr !== '') throw new Error(stderr);
    return JSON.parse(stdout);
  };
  const names = (keys: readonly string[]) => keys.map((key) => `Option ${key}`);

  const lot = await bundleOf('lot', { kind: 'ranking', tieBreak: 'lot' }, ['abc', 'ba', 'cb', 'c']);
  t.match(
    await run('lot.jsonl'),
    { method: 'irv', winners: names(lot.winners), ballots: 4 },
    'with the lot of the round',
  );
  t.match(await run('lot.jsonl', '--method', 'plurality', '--tie-break', 'none'), { winners: ['Option c'] });
  const stv = await bundleOf('stv', { kind: 'ranking', method: 'stv', seats: 2 }, ['abc', 'ab', 'b', 'c']);
  t.match(await run('stv.jsonl'), { method: 'stv', seats: 2, winners: names(stv.winners) });
  const score = await bundleOf('score', { kind: 'score', method: 'star', max: 9 }, ['a:9,b:1', 'b:3', 'c:8']);
  t.match(await run('score.jsonl'), { method: 'star', winners: names(score.winners) });
  const bundle = async (poll: string) =>
    writeFileSync(
      join(s.directory, `${poll}.jsonl`),
      (await s.call('GET', `/api/polls/${poll}/audit`, { operator: true })).body,
    );
  await bundleOf('tie', { kind: 'ranking' }, ['a', 'b']);
  t.match(await run('tie.jsonl'), { winners: [], unresolved: ['Option a', 'Option b'] });
  await s.call('POST', '/api/polls/tie/draws', { operator: true, body: { order: ['b', 'a'] } });
  await bundle('tie');
  t.match(await run('tie.jsonl'), { winners: ['Option b'], unresolved: [] }, 'with the lot that was drawn');
  await s.call('POST', '/api/polls/tie/withdrawals', { operator: true, body: { option: 'b' } });
  await bundle('tie');
  t.match(await run('tie.jsonl'), { winners: ['Option a'], withdrawn: ['Option b'] }, 'an option was withdrawn');
  await bundleOf('single', { kind: 'single' }, ['a', 'b', 'b']);
  t.match(await run('single.jsonl'), { method: 'plurality', winners: ['Option b'], ballots: 3 });
  await bundleOf('multiple', { kind: 'multiple' }, ['a,b', 'b,c', 'c', 'b']);
  t.match(await run('multiple.jsonl'), { method: 'approval', winners: ['Option b'], ballots: 4 });
  await bundleOf('number', { kind: 'numeric', options: [], min: 0, max: 9 }, ['3']);
  const { code, stderr } = await pollcast(['count', 'number.jsonl'], {}, s.directory);
  t.match(
    { code, stderr },
    { code: 2, stderr: /number.jsonl:1:1: the bundle is of a numeric poll; only these can be counted/ },
  );
});
