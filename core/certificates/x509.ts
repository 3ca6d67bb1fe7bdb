/**
 * The library that reads and writes certificates and revocation lists. It is loaded only where it is needed, because it is large and
 * most processes never use it.
 */
export async function loadX509() {
  // The library finds its own parts by metadata, which this package keeps.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

export type X509 = Awaited<ReturnType<typeof loadX509>>;
