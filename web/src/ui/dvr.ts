/** The window of the stream that can be watched, on the video element's time line. */

/** In seconds; `end` is the live edge. */
export interface DvrWindow {
  readonly start: number;
  readonly end: number;
}

/** Players stay some seconds behind the edge on purpose; what is nearer than this counts as live. */
export const LIVE_SECONDS = 8;

export function windowOf(seekable: TimeRanges): DvrWindow | null {
  if (seekable.length === 0) return null;
  const [start, end] = [seekable.start(0), seekable.end(seekable.length - 1)];
  return Number.isFinite(end) && end > start ? { start, end } : null;
}

/** A place in the window, kept within it. */
export function clampTo(window: DvrWindow, seconds: number): number {
  return Math.min(Math.max(seconds, window.start), window.end);
}

/** How far along the window a moment is, 0 to 1. */
export function fractionOf(window: DvrWindow, seconds: number): number {
  return (clampTo(window, seconds) - window.start) / (window.end - window.start);
}

export function momentAt(window: DvrWindow, fraction: number): number {
  return clampTo(window, window.start + fraction * (window.end - window.start));
}
