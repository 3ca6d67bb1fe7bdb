import { readFileSync } from 'node:fs';
import { pathInCheckout } from '../support/root.ts';

/** The rights that docs/OPERATIONS.md gives to the Redis user, for another prefix. */
export function aclOf(prefix: string): string[] {
  const text = readFileSync(pathInCheckout('docs/OPERATIONS.md'), 'utf8');
  const [, line = ''] = /^user votes (.*)$/m.exec(text) ?? [];
  if (line === '') throw new Error('docs/OPERATIONS.md has no line "user votes …"');
  return line
    .split(' ')
    .filter((word) => !word.startsWith('>'))
    .map((word) => word.replace('pollcast', prefix));
}
