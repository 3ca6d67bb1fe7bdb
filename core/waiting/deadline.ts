/** The outcome of `work` if it settles within `limitMs`. @throws the error from `late` otherwise */
export function within<T>(limitMs: number, work: Promise<T>, late: () => Error): Promise<T> {
  return limited(limitMs, work, () => {
    throw late();
  });
}

/** The outcome of `work` if it settles within `limitMs`, otherwise `otherwise`. */
export function withinOr<T, U>(limitMs: number, work: Promise<T>, otherwise: U): Promise<T | U> {
  return limited(limitMs, work, () => otherwise);
}

async function limited<T, U>(limitMs: number, work: Promise<T>, atLimit: () => U): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  try {
    return await Promise.race([work, limit.then(atLimit)]);
  } finally {
    clearTimeout(timer);
  }
}
