import t from 'tap';
import { eventually } from '../../support/eventually.ts';
import { stage } from '../../support/stage.ts';

t.test('rehearsing a question that has not been asked yet does not reveal it', async (t) => {
  const s = await stage(t);
  const options = [
    { key: 'a', label: 'Paris' },
    { key: 'b', label: 'Lyon' },
  ];
  const quiz = { poll: 'quiz', title: 'The capital of France?', kind: 'quiz', options, correct: ['a'] };
  await s.call('POST', '/api/polls', { operator: true, body: quiz });
  const body = { devices: 5, seconds: 1 };
  t.equal((await s.call('POST', '/api/polls/quiz/rehearsal', { operator: true, body })).status, 202);
  t.equal(
    (await s.call('POST', '/api/polls/quiz/rehearsal', { operator: true, body })).status,
    409,
    'there can be only one rehearsal at a time',
  );
  const { rehearsal } = await eventually('the end of the rehearsal', async () => {
    const answer = await s.call('GET', '/api/rehearsal', { operator: true });
    return /passed|failed/.test(answer.body.rehearsal.phase) ? answer.body : undefined;
  });
  t.match(rehearsal, { phase: 'passed', report: { verdict: { lost: 0, compared: 5 } } });
  t.notMatch(JSON.stringify(rehearsal), /password/);
  await eventually('the copy to be closed', async () => {
    const { status } = (await s.call('GET', '/api/polls/quiz-rehearsal', { operator: true })).body;
    return status === 'closed' ? true : undefined;
  });
  for (const path of ['/api/polls', '/api/polls/quiz-rehearsal', '/api/polls/quiz-rehearsal/result']) {
    t.notMatch(JSON.stringify((await s.call('GET', path)).body), /France|Paris|correct/, path);
  }
  const device = await s.device('curious');
  await device.subscribe('poll/quiz-rehearsal');
  t.notMatch(await device.next('poll/quiz-rehearsal'), /France|Paris|correct/);

  // The original is open now, so the closed copy must not reveal the correct answer.
  await s.call('POST', '/api/polls/quiz/open', { operator: true });
  await s.call('POST', '/api/polls/quiz/rehearsal', { operator: true, body });
  await eventually('the end of another rehearsal', async () => {
    const { phase } = (await s.call('GET', '/api/rehearsal', { operator: true })).body.rehearsal;
    const { status } = (await s.call('GET', '/api/polls/quiz-rehearsal')).body;
    return phase === 'passed' && status === 'closed' ? true : undefined;
  });
  for (const path of ['/api/polls/quiz-rehearsal', '/api/polls/quiz-rehearsal/result']) {
    t.notMatch(JSON.stringify((await s.call('GET', path)).body), /correct|answer/, path);
  }

  await s.openPoll('quiz-2');
  await s.openPoll('quiz-2-rehearsal', { title: 'Somebody else’s' });
  const refused = await s.call('POST', '/api/polls/quiz-2/rehearsal', { operator: true, body });
  t.match(refused, { status: 409, body: { type: 'urn:pollcast:no-copy' } });
  t.match((await s.call('GET', '/api/polls/quiz-2-rehearsal')).body, { title: 'Somebody else’s', status: 'open' });
  await s.call('POST', '/api/polls/quiz-2/close', { operator: true });
});

t.test('a rehearsal can be stopped, which closes its copy', async (t) => {
  const s = await stage(t);
  await s.openPoll('q');
  const body = { devices: 50, seconds: 60 };
  await s.call('POST', '/api/polls/q/rehearsal', { operator: true, body });
  t.equal((await s.call('DELETE', '/api/rehearsal', { operator: true })).status, 204);
  t.match((await s.call('GET', '/api/rehearsal', { operator: true })).body.rehearsal, {
    phase: 'failed',
    error: 'it was stopped before it finished',
  });
  t.match((await s.call('GET', '/api/polls/q-rehearsal')).body, { status: 'closed' });
});
