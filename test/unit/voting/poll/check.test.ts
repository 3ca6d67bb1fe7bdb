import t from 'tap';
import type { Definition, Draft, KindName } from '../../../../core/voting/kinds/definition.ts';
import { KIND_NAMES } from '../../../../core/voting/kinds/index.ts';
import { checkDefinition } from '../../../../core/voting/poll/check.ts';
import { question } from '../question.ts';

t.test('definitions: all problems are reported together', async (t) => {
  const { problems } = checkDefinition({
    ...question,
    poll: 'a b',
    room: '#',
    title: 'evil \u202e title',
    options: [
      { key: 'x', label: '' },
      { key: 'x', label: 'y'.repeat(201) },
    ],
  });
  t.same(
    problems.map((problem) => problem.split(':')[0]),
    ['poll', 'room', 'title', 'options[0].label', 'options[1].key', 'options[1].label'],
  );
  const bad: [Partial<Draft>, RegExp][] = [
    [{ kind: 'multiple', min: 3, max: 2 }, /max: must be at least min/],
    [{ kind: 'multiple', max: 4 }, /there are only 3 options/],
    [{ kind: 'multiple', min: 0 }, /min: must be at least 1/],
    [{ kind: 'rating', options: [], min: 5, max: 5 }, /max: must be above min/],
    [{ kind: 'rating', options: [], min: 0, max: 1e9 }, /at most 101 grades/],
    [{ kind: 'rating', min: 1, max: 3 }, /"a" is not a grade/],
    [{ options: [] }, /at least 2/],
    [{ title: 'x'.repeat(10_000) }, /at most 300/],
    [{ title: '  ' }, /must not be empty/],
    [{ options: Array.from({ length: 101 }, (_, i) => ({ key: `o${i}`, label: 'x' })) }, /at most 100/],
  ];
  for (const [settings, expected] of bad)
    t.match(checkDefinition({ ...question, ...settings }).problems.join('\n'), expected);
  t.same(
    checkDefinition({ ...question, title: '<script>alert(1)</script>' }).problems,
    [],
    'markup is allowed, because pages show it as text',
  );
});

t.test('definitions: every kind of mistake is reported', async (t) => {
  const problems = (draft: Partial<Draft>) =>
    checkDefinition({
      poll: 'q',
      title: 'Q?',
      kind: 'single',
      options: ['a', 'b'].map((key) => ({ key, label: key })),
      revote: 'last',
      visibility: 'live',
      ...draft,
    }).problems;
  const none: Partial<Draft> = { options: [] };
  const bad: [Partial<Draft>, RegExp][] = [
    [{ poll: 'votes,x=1 y=2' }, /^poll: must be/],
    [
      {
        options: [
          { key: '<script>', label: 'x' },
          { key: 'a b', label: 'x' },
        ],
      },
      /options\[0\].key: must be[\s\S]*options\[1\].key/,
    ],
    [{ title: 'x'.repeat(10_000) }, /title: must have at most 300/],
    [{ title: 'a\u202eb' }, /text-direction/],
    [{ seats: 2, budget: 3 }, /budget: polls of kind single have no such setting[\s\S]*seats:|seats:[\s\S]*budget:/],
    [{ revote: 'max 0' as Definition['revote'] }, /revote: must be last, first/],
    [{ revote: 'first', withdraw: true }, /withdraw: needs/],
    [{ secrecy: 'secret' }, /visibility: live results of a secret poll/],
    [{ minGroup: 3 }, /minGroup/],
    [{ seed: 'x' }, /seed: only allowed with/],
    [{ eligible: ['a b'] }, /eligible: "a b" is not a valid group id/],
    [{ eligible: [] }, /eligible: must list 1/],
    [{ entitled: { heads: 0, weight: '-1' } }, /entitled.heads[\s\S]*entitled.weight/],
    [{ majority: 'most' }, /majority: must be one of simple, absolute/],
    [{ majority: 'absolute' }, /majority\[0\].of: the size of the electorate is unknown/],
    [
      { majority: [{ share: '> 0.5', of: 'yes+no', by: 'groups' }] },
      /share: must be[\s\S]*yes\+no is only for motions[\s\S]*byGroup/,
    ],
    [{ quorum: {} }, /either a share or a number/],
    [{ quorum: { share: '> 1/2' } }, /quorum.share: the size of the electorate is unknown/],
    [{ quorum: { number: 1, count: 'cast', at: 'both' } }, /ballots can only be counted at the close/],
    [{ opensAt: 'tomorrow', closesAt: '2026-01-01T10:00:00' }, /opensAt: must be a timestamp[\s\S]*closesAt: must be/],
    [{ opensAt: '2026-01-01T10:00:00Z', closesAt: '2026-01-01T11:00:00+02:00' }, /closesAt: must be after/],
    [{ durationMs: 10, lateGraceMs: -1 }, /durationMs[\s\S]*lateGraceMs/],
    [{ kind: 'motion' }, /a motion only has yes, no and abstain, not "a"/],
    [{ kind: 'multiple', min: 3, max: 2 }, /max: must be at least min/],
    [{ kind: 'rating', ...none, top: 9, items: [{ key: 'x', label: 'X' }] }, /top:[\s\S]*items: must list 2/],
    [{ kind: 'numeric' }, /options:[\s\S]*min, max: a numeric poll needs both/],
    [
      { kind: 'numeric', ...none, min: 5, max: 1.25, answer: 99, bins: 0, trim: 0.5 },
      /bins[\s\S]*trim[\s\S]*max: must be above[\s\S]*max: must have at most 0 decimal places[\s\S]*answer/,
    ],
    [{ kind: 'points', budget: 0 }, /budget: must be from 1/],
    [{ kind: 'ranking', method: 'star' }, /method: must be one of irv, stv, borda, condorcet/],
    [{ kind: 'ranking', method: 'stv', seats: 2 }, /seats: must be at least 1 and fewer than the 2/],
    [{ kind: 'ranking', seats: 1, variant: 'dowdall' }, /seats: only[\s\S]*variant: only/],
    [{ kind: 'score', min: 3, max: 2 }, /min, max/],
    [{ kind: 'quiz' }, /correct: must be exactly one/],
    [
      { kind: 'quiz', correct: ['x'], credit: 'balanced', speed: 1 },
      /speed: needs durationMs[\s\S]*no option "x"[\s\S]*credit: must be strict for question single/,
    ],
    [{ kind: 'quiz', question: 'ordering', correct: ['a', 'a'] }, /a key is listed twice/],
    [{ kind: 'quiz', question: 'short', ...none }, /accept: must list 1/],
    [{ kind: 'text', maxLength: 0, maxPhrases: 99 }, /options:[\s\S]*maxLength[\s\S]*maxPhrases/],
    [{ kind: 'score', min: 0.5 }, /min: must be a whole number/],
    [{ kind: 'rating', ...none, min: 0.5, max: 3 }, /min: must be a whole number/],
    [
      { kind: 'numeric', ...none, min: 0, max: 9, answer: 1, speed: 7, points: -3 },
      /points: must be from 0[\s\S]*speed: must be from 0/,
    ],
    [{ kind: 'numeric', ...none, min: 0, max: 9, decimals: 600_000_000 }, /decimals: must be from 0 to 6/],
    [{ majority: 'absolute', entitled: {} }, /the size of the electorate is unknown/],
    [{ majority: 'absolute', weighted: true, entitled: { heads: 9 } }, /the size of the electorate is unknown/],
    [{ secrecy: 'secret', visibility: 'closed', byGroup: true }, /byGroup: a secret poll must know/],
    [{ kind: 'pulse', windowMs: 1, revote: 'first', lateGraceMs: 5 }, /windowMs[\s\S]*revote[\s\S]*lateGraceMs/],
  ];
  for (const [draft, expected] of bad) t.match(problems(draft).join('\n'), expected);
  t.same(problems({ title: 'What does <script> do?' }), [], 'markup is allowed, because pages show it as text');
});

t.test('who sees results by default follows from the kind, the right answer and the secrecy', async (t) => {
  const keys = ['a', 'b'].map((key) => ({ key, label: key }));
  const options = (kind: KindName) => (['motion', 'rating', 'numeric', 'text'].includes(kind) ? [] : keys);
  const own: Partial<Record<KindName, Partial<Draft>>> = { quiz: { correct: ['a'] }, numeric: { min: 0, max: 9 } };
  const checked = (kind: KindName, more: Partial<Draft> = {}) => {
    const { definition, problems } = checkDefinition({
      poll: 'q',
      title: 'Q?',
      kind,
      options: options(kind),
      ...own[kind],
      ...more,
    });
    t.same(problems, [], `${kind} ${JSON.stringify(more)}`);
    return definition.visibility;
  };
  const special: Partial<Record<KindName, string>> = { quiz: 'closed', pulse: 'live' };
  for (const kind of KIND_NAMES) {
    t.equal(checked(kind), special[kind] ?? 'voted', kind);
    t.equal(checked(kind, { secrecy: 'pseudonymous' }), special[kind] ?? 'voted', kind);
    t.equal(checked(kind, { secrecy: 'secret' }), 'closed', `secret ${kind}`);
    t.equal(checked(kind, { visibility: 'operator' }), 'operator', 'what the author says stands');
  }
  t.equal(checked('numeric', { answer: 5 }), 'closed', 'an estimate has a right answer, like a quiz');
  for (const kind of KIND_NAMES) {
    for (const visibility of ['live', 'voted'] as const) {
      const draft = { poll: 'q', title: 'Q?', kind, options: options(kind), ...own[kind], visibility } as const;
      t.match(checkDefinition({ ...draft, secrecy: 'secret' }).problems, [/^visibility: .*turnout, closed, operator$/]);
    }
  }
});
