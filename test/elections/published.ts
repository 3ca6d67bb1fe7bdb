/**
 * Real elections whose outcome is published: SOURCES.md says where the files come from. They are not part of the repository;
 * `npm run test:elections -- <folder>` counts those in a folder.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { pollcast } from '../support/process.ts';
import { pathInCheckout } from '../support/root.ts';

interface Election {
  readonly file: string;
  readonly sha256: string;
  readonly flags: readonly string[];
  readonly winners: readonly string[];
}

const folder = process.env.POLLCAST_BALLOT_FILES ?? '';
const elections: readonly Election[] = JSON.parse(
  readFileSync(pathInCheckout('test/elections/published.json'), 'utf8'),
);

for (const { file, sha256, flags, winners } of elections) {
  t.test(file, async (t) => {
    const hash = createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
    t.equal(hash, sha256, 'the file is the published one');
    const { code, stdout, stderr } = await pollcast(['count', file, '--json', ...flags], {}, folder);
    t.match({ code, stderr }, { code: 0, stderr: '' });
    const counted = JSON.parse(stdout);
    t.same([...counted.winners].sort(), [...winners].sort());
    t.same(counted.unresolved, []);
  });
}
