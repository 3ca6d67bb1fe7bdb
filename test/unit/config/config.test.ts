import t from 'tap';
import { ConfigError, readConfig } from '../../../core/config/config.ts';
import { withoutPrefix } from '../../../core/process/prefix.ts';

function problemsOf(environment: Record<string, string>): string {
  try {
    readConfig({}, environment);
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

t.test('no configuration error shows a password, however malformed its address is', async (t) => {
  for (const password of [
    'top/secret',
    'top?secret',
    'top#secret',
    'top@secret',
    'top secret',
    'top:secret//',
    '%secret',
  ]) {
    for (const [variable, address] of [
      ['POLLCAST_REDIS_URL', `redis://user:${password}@10.0.0.5:6379/x`],
      ['POLLCAST_REDIS_URL', `redis-sentinel://:${password}@a:26379,b:26379`],
      ['POLLCAST_REDIS_URL', `redis:/user:${password}@host`],
      ['POLLCAST_REDIS_URL', `user:${password}@host`],
      ['POLLCAST_INFLUX_URL', `http://user:${password}@db:8086/no such database`],
      ['POLLCAST_INFLUX_URL', `ftp://db/pollcast?u=user&p=${password}`],
      ['POLLCAST_PUBLIC_URL', `https://user:${password}@votes.example.org`],
    ] as const) {
      const problems = problemsOf({ [variable]: address });
      t.match(problems, variable, `${variable}=${address} is refused`);
      t.notMatch(problems, /top|secret/, problems);
    }
  }
  t.match(
    problemsOf({ POLLCAST_REDIS_URL: 'redis://:a/b@host' }),
    /"redis:\/\/…@host"; in a password, write \/ as %2F/,
  );
  t.notMatch(problemsOf({ POLLCAST_OPERATOR_TOKEN: 'short-secret' }), 'secret');
  t.match(problemsOf({ POLLCAST_MQTT_PORT: 'many' }), /not "many"$/);
});

t.test('the public address may have a path, and nothing after it', async (t) => {
  const urlOf = (publicUrl: string) => readConfig({ publicUrl }, {}).publicUrl;
  t.equal(urlOf('https://votes.example.org/'), 'https://votes.example.org');
  t.equal(urlOf('https://www.example.org/a/votes//'), 'https://www.example.org/a/votes');
  for (const wrong of ['https://x.org/?a', 'https://x.org/#a', 'https://u@x.org', 'ftp://x.org', 'https://x.org/a"b']) {
    t.throws(() => urlOf(wrong), ConfigError, wrong);
  }
});

t.test('requests are found with and without the prefix', async (t) => {
  for (const [url, prefix, path] of [
    ['/votes/api/polls?x=/', '/votes', '/api/polls?x=/'],
    ['/votes', '/votes', '/'],
    ['/votes?lang=de', '/votes', '/?lang=de'],
    ['/votes/', '/votes', '/'],
    ['/api/polls', '/votes', '/api/polls'],
    ['/votesapi/polls', '/votes', '/votesapi/polls'],
    ['/vote/hall', '/vote', '/vote/hall'],
    ['/vote/worker.js', '/vote', '/vote/worker.js'],
    ['/vote/hall/manifest.webmanifest', '/vote', '/vote/hall/manifest.webmanifest'],
    ['/vote/vote/hall', '/vote', '/vote/hall'],
    ['/screen/screen/room/hall', '/screen', '/screen/room/hall'],
    ['/votes/metrics', '/votes', '/votes/metrics'],
    ['/api', '', '/api'],
  ] as const) {
    t.equal(withoutPrefix(url, prefix), path, `${url} below ${prefix}`);
  }
});
