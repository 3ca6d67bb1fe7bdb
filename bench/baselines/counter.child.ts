import { createServer } from 'node:http';
import mqtt from 'mqtt';

/** The obvious first counter: a subscriber that tallies choices in memory and stores nothing. */
const [port, httpPort] = process.argv.slice(2).map(Number);
const tally = new Map<string, number>();
let votes = 0;
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: 'counter' });
client.on('message', (_topic, payload) => {
  const choice = payload.toString();
  tally.set(choice, (tally.get(choice) ?? 0) + 1);
  votes++;
});
await client.subscribeAsync('vote/#', { qos: 1 });
createServer((_request, response) => response.end(String(votes))).listen(httpPort, '127.0.0.1', () =>
  console.log('running'),
);
