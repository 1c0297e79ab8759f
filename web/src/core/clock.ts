/** Seconds on a clock that nobody sets: deadlines, ages and the coordinator's time all count on it. */
export function monotonicSeconds(): number {
  return performance.now() / 1000;
}

/** Resolves after so many seconds, or at once when `signal` is aborted. */
export function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    signal?.addEventListener('abort', end);
  });
}
