import type { MediaObject } from './objects';

/** A part of a segment. `isIndependent`: it begins with a key frame. */
export interface Part {
  readonly object: MediaObject;
  readonly durationMicros: number;
  readonly isIndependent: boolean;
}

/** One complete segment, with its parts while the playlist lists them, and the map that initialises the decoder. */
export interface Segment {
  readonly mediaSequence: number;
  readonly object: MediaObject;
  readonly durationMicros: number;
  readonly parts: readonly Part[];
  readonly map: MediaObject | null;
  readonly thumbnail: MediaObject | null;
  readonly isDiscontinuity: boolean;
}

/** What the server offers to players, and how far from the end it wants them (RFC 8216bis 4.4.3.8). */
export interface ServerControl {
  readonly canBlockReload: boolean;
  readonly canSkipUntilMicros: number | null;
  readonly holdBackMicros: number | null;
  readonly partHoldBackMicros: number | null;
}

/**
 * A verified media playlist, oldest segment first. `publishedAt` is in Unix seconds.
 *
 * The first `skippedSegments`, beginning at `mediaSequence`, are left out: 0 unless it is a delta update.
 * `parts` and `map` are those of the segment in progress.
 */
export interface MediaPlaylist {
  readonly poolId: number;
  readonly rendition: string;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly publishedAt: number;
  readonly targetSeconds: number;
  readonly partTargetMicros: number | null;
  readonly serverControl: ServerControl;
  readonly skippedSegments: number;
  readonly segments: readonly Segment[];
  readonly parts: readonly Part[];
  readonly map: MediaObject | null;
  readonly isEnded: boolean;
}

/** The media sequence of the segment in progress. */
export function nextSequence(playlist: MediaPlaylist): number {
  return playlist.mediaSequence + playlist.skippedSegments + playlist.segments.length;
}
