/** The longest text that fits one block [FIPS 180-4, 5.1.1]. */
const MAX_BYTES = 55;

/** The first 32 bits of the fractional parts of the cube roots (K) and square roots (H) of the first primes [FIPS 180-4, 4.2.2]. */
const [K, H] = constants();
const W = new Int32Array(64);

/**
 * The first 32 bits of SHA-256 [FIPS 180-4] of a short text.
 *
 * @param text up to 55 characters of ASCII
 * @throws RangeError if it is longer
 */
export function sha256Start(text: string): number {
  const { length } = text;
  if (length > MAX_BYTES) throw new RangeError(`at most ${MAX_BYTES} characters, not ${length}`);
  W.fill(0, 0, 16);
  for (let i = 0; i < length; i++) put(i, text.charCodeAt(i));
  put(length, 0x80);
  W[15] = 8 * length;
  for (let i = 16; i < 64; i++) {
    const [a, b] = [at(W, i - 15), at(W, i - 2)];
    const s0 = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
    const s1 = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
    W[i] = at(W, i - 16) + s0 + at(W, i - 7) + s1;
  }
  // In variables of their own rather than in an array, which makes it several times faster.
  let [a, b, c, d] = [at(H, 0), at(H, 1), at(H, 2), at(H, 3)];
  let [e, f, g, h] = [at(H, 4), at(H, 5), at(H, 6), at(H, 7)];
  for (let i = 0; i < 64; i++) {
    const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + at(K, i) + at(W, i)) | 0;
    const s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  return (a + at(H, 0)) | 0;
}

function put(byte: number, value: number): void {
  const word = byte >> 2;
  W[word] = at(W, word) | (value << (24 - 8 * (byte & 3)));
}

function turned(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function at(words: Int32Array, i: number): number {
  return words[i] as number;
}

function constants(): readonly [Int32Array, Int32Array] {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime > 0)) primes.push(n);
  const bits = (root: number) => Math.floor((root % 1) * 2 ** 32);
  return [
    Int32Array.from(primes, (n) => bits(Math.cbrt(n))),
    Int32Array.from(primes.slice(0, 8), (n) => bits(Math.sqrt(n))),
  ];
}
