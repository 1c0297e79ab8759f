import type { MediaPlaylist } from './media';
import type { MediaObject } from './objects';

/** An object, where it stands, and for how long it plays (0: a map or a thumbnail). */
export interface Listed {
  readonly object: MediaObject;
  readonly mediaSequence: number;
  readonly durationMicros: number;
}

/** More than any window lists, so that what a delta update skips is still known. */
const MAX_OBJECTS = 32_768;

/** What verified playlists have named so far: nothing else may be fetched. */
export class Library {
  readonly #objects = new Map<string, Listed>();
  readonly #thumbnails = new Map<number, Listed>();

  /** What the origin vouches for under a name, or null. */
  find(name: string): Listed | null {
    return this.#objects.get(name) ?? null;
  }

  /** The picture of the segment with this media sequence, or null. */
  thumbnail(mediaSequence: number): Listed | null {
    return this.#thumbnails.get(mediaSequence) ?? null;
  }

  add(playlist: MediaPlaylist): void {
    let mediaSequence = playlist.mediaSequence + playlist.skippedSegments;
    for (const segment of playlist.segments) {
      ({ mediaSequence } = segment);
      if (segment.map !== null) this.#put(segment.map, mediaSequence, 0);
      for (const part of segment.parts) this.#put(part.object, mediaSequence, part.durationMicros);
      this.#put(segment.object, mediaSequence, segment.durationMicros);
      if (segment.thumbnail !== null) {
        const listed = { object: segment.thumbnail, mediaSequence, durationMicros: 0 };
        this.#thumbnails.set(mediaSequence, listed);
      }
      mediaSequence += 1;
    }
    if (playlist.map !== null) this.#put(playlist.map, mediaSequence, 0);
    for (const part of playlist.parts) this.#put(part.object, mediaSequence, part.durationMicros);
    forgetOldest(this.#objects);
    forgetOldest(this.#thumbnails);
  }

  #put(object: MediaObject, mediaSequence: number, durationMicros: number): void {
    // What is listed again becomes the newest: a map lasts as long as its segments.
    this.#objects.delete(object.name);
    this.#objects.set(object.name, { object, mediaSequence, durationMicros });
  }
}

function forgetOldest(objects: Map<unknown, unknown>): void {
  for (const key of objects.keys()) {
    if (objects.size <= MAX_OBJECTS) return;
    objects.delete(key);
  }
}
