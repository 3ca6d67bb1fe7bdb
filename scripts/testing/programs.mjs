// The programs that the tests need besides Node.js.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fail } from '../prepare.mjs';

/** The Debian packages that the tests need, each with a command that succeeds if it is installed. */
const PROGRAMS = {
  chromium: 'command -v chromium',
  'g++': 'command -v g++',
  haproxy: 'command -v haproxy',
  influxdb: 'command -v influxd',
  'libpaho-mqtt-dev': 'test -e /usr/include/MQTTClient.h',
  'mosquitto-clients': 'command -v mosquitto_pub',
  openssl: 'command -v openssl',
  prometheus: 'command -v prometheus',
  'python3-paho-mqtt': '/usr/bin/python3 -c "import paho.mqtt.client"',
  'redis-server': 'command -v redis-server',
  strace: 'command -v strace',
};

/**
 * Installs missing packages if run as root on Debian; otherwise exits with a message that lists what to install.
 * @returns {Promise<void>} resolves once they are installed; exits if that fails
 */
export async function installPrograms() {
  const missing = Object.entries(PROGRAMS).filter(([, check]) => !succeeds(check));
  if (missing.length === 0) return;
  const packages = missing.map(([name]) => name).join(' ');
  const isDebian = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (!isDebian) {
    fail(
      `the tests need ${missing.map(([name]) => name).join(', ')}; on Debian or Ubuntu, run: sudo apt-get install ${packages}`,
    );
  }
  console.error(`pollcast: installing ${packages} …`);
  // RUNLEVEL=1 keeps the installed servers from starting as services: the tests start their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  // In one process, so that it goes on while this one is busy.
  const install = `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${packages} > /dev/null`;
  const child = spawn('sh', ['-c', install], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) fail(`could not install ${packages}`);
}

function succeeds(command) {
  return spawnSync('sh', ['-c', command], { stdio: 'ignore' }).status === 0;
}
