/** A playlist's place in time, as its signature says. */
interface Published {
  /** Unix seconds by the origin's clock. */
  readonly publishedAt: number;
}

/**
 * Is a playlist new enough? Judged without trusting any wall clock. Times `now` are monotonic seconds.
 *
 * The origin signs its playlists anew every few seconds. The least delay between `publishedAt` and arrival that any
 * source ever showed is the measure: who is behind it by more than the limit is stale. So neither the origin's clock
 * nor the viewer's needs to be right, and a playlist that stands still ages.
 */
export class Freshness {
  readonly #limitSeconds: number;
  #leadSeconds: number | null = null;
  readonly #latest = new Map<string, number>();

  constructor(limitSeconds: number) {
    this.#limitSeconds = limitSeconds;
  }

  /** Takes a verified playlist `name` of `source` and says why that should be left, or null. */
  fault(source: string, name: string, playlist: Published, now: number): string | null {
    const lead = playlist.publishedAt - now;
    this.#leadSeconds = this.#leadSeconds === null ? lead : Math.max(lead, this.#leadSeconds);
    const key = `${source}/${name}`;
    const before = this.#latest.get(key) ?? playlist.publishedAt;
    this.#latest.set(key, Math.max(before, playlist.publishedAt));
    if (playlist.publishedAt < before) {
      return `the playlist went back by ${before - playlist.publishedAt} s`;
    }
    const age = this.ageSeconds(playlist, now);
    return age > this.#limitSeconds
      ? `the playlist is ${age.toFixed(1)} s behind, at most ${this.#limitSeconds} s are accepted`
      : null;
  }

  /** How far the playlist is behind the freshest one that could be had now. */
  ageSeconds(playlist: Published, now: number): number {
    return this.#leadSeconds === null ? 0 : this.#leadSeconds - (playlist.publishedAt - now);
  }

  /** Forget what a source showed, once it was left. */
  forget(source: string): void {
    for (const key of this.#latest.keys()) {
      if (key.startsWith(`${source}/`)) this.#latest.delete(key);
    }
  }
}
