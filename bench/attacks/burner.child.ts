/**
 * Takes a share of one core and attacks nobody: `burner.child.js <share>`. Beside it, a good device is as slow as the machine makes
 * it, so that what an attack costs the server can be told from what the attacker itself takes. It goes on until it is killed.
 */

/** How long in ms work and rest take together; as short as the bursts of the attackers. */
const PERIOD_MS = 10;

const share = Math.min(1, Number(process.argv[2]));
const burn = () => {
  const endMs = performance.now() + PERIOD_MS * share;
  while (performance.now() < endMs);
};
if (share >= 0.99) for (;;) burn();
setInterval(burn, PERIOD_MS);
