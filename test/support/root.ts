import { fileURLToPath } from 'node:url';

/** The root of the checkout, relative to the compiled tests. */
const ROOT = new URL('../../../', import.meta.url);

/** The absolute path of something in the checkout, for example `pathInCheckout('docker/')`. */
export function pathInCheckout(relative: string): string {
  return fileURLToPath(new URL(relative, ROOT));
}
