import type { Downloader } from '../sources/downloader';

const MAX_KEPT = 120;
/** A picture of a moment shortly before is better than none. */
const REACH_SEGMENTS = 5;

/** The pictures of segments, each fetched once while it is kept. */
export class Thumbnails {
  readonly #downloader: Downloader;
  readonly #signal: AbortSignal;
  readonly #kept = new Map<number, Promise<Blob | null>>();

  constructor(downloader: Downloader, signal: AbortSignal) {
    this.#downloader = downloader;
    this.#signal = signal;
  }

  /** The verified JPEG of a segment, or of one shortly before; null when there is none. */
  async near(mediaSequence: number): Promise<Blob | null> {
    for (let back = 0; back < REACH_SEGMENTS; back += 1) {
      const picture = await this.#picture(mediaSequence - back);
      if (picture !== null) return picture;
    }
    return null;
  }

  #picture(mediaSequence: number): Promise<Blob | null> {
    const known = this.#kept.get(mediaSequence);
    if (known !== undefined) return known;
    const loading = this.#load(mediaSequence);
    this.#kept.set(mediaSequence, loading);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    return loading;
  }

  async #load(mediaSequence: number): Promise<Blob | null> {
    try {
      const answer = await this.#downloader.thumbnail(mediaSequence, this.#signal);
      if (answer !== null) return new Blob([answer.body], { type: 'image/jpeg' });
    } catch {
      // A preview is not worth an error.
    }
    // Its playlist may name it later, or a source may have it: asked again when the pointer comes back.
    this.#kept.delete(mediaSequence);
    return null;
  }
}
