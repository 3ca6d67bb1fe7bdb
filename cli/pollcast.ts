#!/usr/bin/env node
import { Command } from 'commander';
import { flagOf, settings } from '../core/runtime/settings.ts';
import { EXIT } from './exit.ts';
import { addAudit } from './operator/audit.ts';
import { addDevice } from './operator/device.ts';
import { addPoll } from './operator/poll.ts';
import type { Flags } from './serve.ts';
import { addSim } from './sim.ts';
import type { Role } from './up.ts';

const program = new Command('pollcast').description(
  'Live voting over MQTT: votes in over MQTT, results out over SSE, every acknowledged vote counted exactly once.',
);
// Before the commands are added: they inherit it.
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT.misconfigured));
addRole('all', 'up', 'Run everything in one process');
addRole('broker', 'broker', 'Let devices in and store their votes; needs Redis');
addRole('processor', 'processor', 'Count votes and write the time series; needs Redis');
addRole('dashboard', 'dashboard', 'Serve API, pages and result streams; needs Redis');
addSim(program);
addPoll(program);
addDevice(program);
addAudit(program);
await program.parseAsync();

function addRole(role: Role, name: string, about: string): void {
  const command = program.command(name).description(about);
  if (role === 'all' || role === 'dashboard') {
    command.option('--demo', 'create and open a poll to try things on, if there are no polls yet');
  }
  for (const { variable, fallback, about } of Object.values(settings)) {
    const otherwise = fallback === '' ? '' : `, default ${fallback}`;
    command.option(`${flagOf(variable)} <value>`, `${about} (${variable}${otherwise})`);
  }
  // Loaded when it is needed: commands of operators need none of it, and are there at once.
  command.action(async (flags: Flags) => (await import('./serve.ts')).serve(role, flags));
}
