import type { Config } from '../core/runtime/config.ts';
import type { Pollcast } from './up.ts';

/** What a person needs to know after the start: how to vote, where to look, and what is not safe. */
export function welcome({ mqttPort, httpPort, token, polls }: Pollcast, config: Config): string {
  const host = config.host === '0.0.0.0' || config.host === '::' ? '<this machine>' : config.host;
  const all = polls.all();
  const poll = (all.find(({ status }) => status === 'open') ?? all[0])?.definition;
  const name = poll?.poll ?? '<poll>';
  const room = poll?.room;
  const pages = `http://${host}:${httpPort}`;
  const choice = poll?.options[0]?.key ?? '<choice>';
  const door =
    config.door === 'open'
      ? 'open: any client id may vote, nobody is asked who they are'
      : 'registered devices and guests only (POST /api/devices)';
  return `
  Pollcast is running. Stop it with Ctrl-C; votes and results are kept in ${config.dataDir}/

  Vote        mosquitto_pub -h ${host} -p ${mqttPort} -q 1 -t vote/${name} -m ${choice}
  Screen      ${pages}/screen/${room === undefined ? name : `room/${room}`}${room === undefined ? '' : `\n  Phones      ${pages}/vote/${room}`}
  Operate     ${pages}/
  Stream      curl -N http://${host}:${httpPort}/api/polls/${name}/stream
  API         http://${host}:${httpPort}/docs
  Operator    token ${token}
  Door        ${door}
`;
}
