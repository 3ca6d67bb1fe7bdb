/**
 * Takes a share of one core and attacks nobody: `burner.child.js <share> <pid of its parent>`. Beside it, a good device is as slow
 * as the machine makes it, so that what an attack costs the server can be told from what the attacker itself takes. It goes on
 * until it is killed, its parent process has ended, or its time is over.
 */

/** How long in ms work and rest take together; as short as the bursts of the attackers. */
const PERIOD_MS = 10;
/** The longest time in ms that it goes on. An attack is measured beside it for a few seconds. */
const LIMIT_MS = 60_000;

const [share, parent] = [Math.min(1, Number(process.argv[2])), Number(process.argv[3])];
const burn = () => {
  const endMs = performance.now() + PERIOD_MS * share;
  while (performance.now() < endMs);
  // What never rests hears no events, so it has to look.
  if (process.ppid !== parent || performance.now() > LIMIT_MS) process.exit();
};
process.on('disconnect', () => process.exit());
if (share >= 0.99) for (;;) burn();
setInterval(burn, PERIOD_MS);
