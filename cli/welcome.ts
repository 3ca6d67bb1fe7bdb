import type { Pollcast } from '../app/pollcast.ts';
import type { Config } from '../core/config/config.ts';
import { inUrl } from '../core/runtime/host.ts';

/** The message after startup: how to vote, where to see results, and who may vote. */
export function welcome({ mqttPort, mqttsPort, httpPort, token, polls }: Pollcast, config: Config): string {
  const host = config.host === '0.0.0.0' || config.host === '::' ? '<this machine>' : config.host;
  const all = polls.all();
  const poll = (all.find(({ status }) => status === 'open') ?? all[0])?.definition;
  const name = poll?.poll ?? '<poll>';
  const room = poll?.room;
  const pages = `${config.tlsCert === '' ? 'http' : 'https'}://${inUrl(host)}:${httpPort}`;
  const choice = poll?.options[0]?.key ?? '<choice>';
  const who = config.door === 'open' ? '-i clicker-1' : '-i <device> -u <device> -P <secret>';
  const where = mqttPort > 0 ? `-p ${mqttPort}` : `-p ${mqttsPort} --cafile <certificate of the authority>`;
  const door =
    config.door === 'open'
      ? 'open: any client may vote without credentials'
      : 'registered devices and guests only (POST /api/devices)';
  return `
  Pollcast is running. Stop it with Ctrl-C; votes and results are kept in ${config.dataDir}/

  Vote        mosquitto_pub -h ${host} ${where} ${who} -q 1 -t vote/${name} -m ${choice}
  Screen      ${pages}/screen/${room === undefined ? name : `room/${room}`}${room === undefined ? '' : `\n  Phones      ${pages}/vote/${room}`}
  Operate     ${pages}/
  Stream      curl -N ${pages}/api/polls/${name}/stream
  API         ${pages}/docs
  Operator    ${config.operatorToken === '' ? `token ${token}` : 'the token in POLLCAST_OPERATOR_TOKEN'}
  Door        ${door}
`;
}
