/** Clock differences of up to this many ms are ignored, because the `Date` header contains whole seconds. */
const TOLERANCE_MS = 2_000;

/** How many ms the server's clock is ahead of this device's clock; undefined if the response has no `Date` header. */
export function skewOf(response: Response): number | undefined {
  const skewMs = Date.parse(response.headers.get('date') ?? '') + 500 - Date.now();
  if (Number.isNaN(skewMs)) return undefined;
  return Math.abs(skewMs) > TOLERANCE_MS ? skewMs : 0;
}
