// `npm run schema`: writes examples/poll.schema.json, with which editors validate poll files as you type.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';

prepare();
const { pollFileSchema } = await import(join(ROOT, 'build', 'dashboards', 'api', 'schemas', 'poll-file.js'));
writeFileSync(join(ROOT, 'examples', 'poll.schema.json'), `${JSON.stringify(pollFileSchema(), null, 2)}\n`);
