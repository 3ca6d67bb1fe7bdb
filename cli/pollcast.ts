#!/usr/bin/env node
import { Command } from 'commander';
import type { Role } from '../app/foundation.ts';
import { environmentSettings, flagOf } from '../core/config/settings.ts';
import { version } from '../core/process/version.ts';
import { addCerts } from './certs/certs.ts';
import { addCount } from './count/count.ts';
import { EXIT } from './exit.ts';
import { addAudit } from './operator/audit.ts';
import { addDevice } from './operator/devices/device.ts';
import { addGuest } from './operator/guest.ts';
import { addOperator } from './operator/operator.ts';
import { addPoll } from './operator/polls/poll.ts';
import { addRepair } from './repair.ts';
import type { Flags } from './serve.ts';
import { addSim } from './sim.ts';
import { addStore } from './store.ts';

// What it writes, from ballots to secrets, is for the account that runs it alone.
process.umask(0o077);

const program = new Command('pollcast')
  .version(version, '--version', 'print the version')
  .description('Live voting: votes in over MQTT, results out over SSE, every acknowledged vote counted exactly once.');
// This must be set before the commands are added, because they inherit it.
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT.misconfigured));
addRole('all', 'up', 'Run everything in one process');
addRole('broker', 'broker', 'Accept connections from devices and store their votes; needs Redis');
addRole('processor', 'processor', 'Count votes and write the time series; needs Redis');
addRole('dashboard', 'dashboard', 'Serve the API, the pages and result streams; needs Redis');
addSim(program);
addPoll(program);
addDevice(program);
addGuest(program);
addOperator(program);
addAudit(program);
addCount(program);
addRepair(program);
addCerts(program);
addStore(program);
await program.parseAsync();

function addRole(role: Role, name: string, summary: string): void {
  const command = program.command(name).description(summary);
  if (role === 'all' || role === 'dashboard') {
    command.option('--demo', 'create and open a demo poll if there are no polls yet');
  }
  for (const { variable, fallback, description } of Object.values(environmentSettings)) {
    const otherwise = fallback === '' ? '' : `, default: ${fallback}`;
    command.option(`${flagOf(variable)} <value>`, `${description} (${variable}${otherwise})`);
  }
  // Loaded on demand, so that operator commands start faster.
  command.action(async (flags: Flags) => (await import('./serve.ts')).serve(role, flags));
}
