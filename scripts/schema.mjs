// `npm run schema`: writes examples/poll.schema.json, for editors that check poll files while they are written.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';

prepare();
const { templateSchema } = await import(join(ROOT, 'build', 'dashboards', 'template-schema.js'));
writeFileSync(join(ROOT, 'examples', 'poll.schema.json'), `${JSON.stringify(templateSchema(), null, 2)}\n`);
