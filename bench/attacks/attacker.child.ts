/** One attacker: `attacker.child.js <attack> <MQTT port> <HTTP port>`. It goes on until it is killed, or its parent process has ended. */
import { ATTACKS } from './attacks.ts';
import { Target } from './target.ts';

const [name, mqttPort, httpPort] = process.argv.slice(2);
const attack = ATTACKS.find((one) => one.name === name);
if (!attack) throw new Error(`there is no attack ${name}; there are ${ATTACKS.map((one) => one.name).join(', ')}`);
process.on('disconnect', () => process.exit());
// It may have ended while this process started.
if (!process.connected) process.exit();
attack.start(new Target(Number(mqttPort), Number(httpPort)));
