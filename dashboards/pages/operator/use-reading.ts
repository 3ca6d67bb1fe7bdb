import { useEffect } from 'preact/hooks';

/**
 * Reads from the server at once and whenever `inputs` change, and then at intervals while the page is visible, because other
 * operators may change what is shown. @param everyMs the interval in ms
 */
export function useReading(read: () => Promise<void>, everyMs: number, inputs: readonly unknown[]): void {
  useEffect(() => {
    void read();
    const timer = setInterval(() => !document.hidden && void read(), everyMs);
    return () => clearInterval(timer);
  }, inputs);
}
