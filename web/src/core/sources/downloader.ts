import { monotonicSeconds, pause } from '../clock';
import type { Engine } from '../crypto/engine';
import type { Answer, Progress } from '../net/http';
import type { Library, Listed } from '../playlist/library';
import { type MediaPlaylist, nextSequence } from '../playlist/media';
import type { MultivariantPlaylist } from '../playlist/multivariant';
import { MULTIVARIANT_NAME, renditionOf } from '../playlist/names';
import { MalformedError, SignatureError } from '../protocol/errors';
import type { Deadlines } from './deadlines';
import { GoneError, SourceError } from './faults';
import type { Fleet } from './fleet';
import type { Freshness } from './freshness';
import { race } from './race';
import type { Source } from './source';

/** Silence after which a source counts as unreachable. */
const SILENCE_SECONDS = 3;
/** The same where the answer is held back until there is something new. */
const BLOCKED_SECONDS = 6;
/** An object that nothing waits for yet. */
const MAX_SECONDS = 30;
/** Bounds on how long before a helper is asked as well. */
const LEAST_HEDGE_SECONDS = 0.3;
const MOST_HEDGE_SECONDS = 2;
const CATCH_UP_SECONDS = 0.25;
const CATCH_UP_TRIES = 8;
const MICROS = 1_000_000;

export interface DownloaderOptions {
  readonly fleet: Fleet;
  readonly engine: Engine;
  readonly library: Library;
  readonly freshness: Freshness;
  readonly deadlines: Deadlines;
  /** The origin began anew with lower numbers: what was read of it before is void. */
  readonly onRestart: () => void;
}

/** A verified playlist: its text, and what it says. */
export interface PlaylistDownload {
  readonly text: string;
  readonly playlist: MediaPlaylist | MultivariantPlaylist;
  readonly firstByteAtMillis: number;
}

/** Gets playlists and objects, from whom it can; gives out nothing that the origin does not vouch for. */
export class Downloader {
  readonly #options: DownloaderOptions;
  /** By rendition, the newest playlist that was given out. */
  readonly #newest = new Map<string, MediaPlaylist>();

  constructor(options: DownloaderOptions) {
    this.#options = options;
  }

  /**
   * `live.m3u8`, or a rendition's playlist with its query. Rejects with GoneError, SourceError or AbortedError.
   */
  playlist(name: string, query: URLSearchParams, signal: AbortSignal): Promise<PlaylistDownload> {
    const isBlocking = query.has('_HLS_msn');
    const expectedSeconds = isBlocking ? this.#stepSeconds(name) : 0;
    return race({
      fleet: this.#options.fleet,
      hedgeSeconds: expectedSeconds + this.#hedgeSeconds(),
      signal,
      attempt: (source, stop) => this.#playlistFrom(source, name, query, stop),
    });
  }

  /** What a verified playlist says of an object's length; 0 when none named it. */
  lengthBytes(name: string): number {
    return this.#options.library.find(name)?.object.lengthBytes ?? 0;
  }

  /** An object that a verified playlist named. Rejects with GoneError, SourceError or AbortedError. */
  object(
    name: string,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<Answer> {
    const listed = this.#options.library.find(name);
    if (listed === null) return Promise.reject(new GoneError(`no signed playlist names ${name}`));
    return this.#listed(listed, signal, onProgress);
  }

  /** The picture of a segment; null when there is none. */
  async thumbnail(mediaSequence: number, signal: AbortSignal): Promise<Answer | null> {
    const listed = this.#options.library.thumbnail(mediaSequence);
    return listed === null ? null : this.#listed(listed, signal, () => undefined);
  }

  /** Keep a source's connection open, and see that it is up to date. Rejects as Source does. */
  async warm(source: Source): Promise<void> {
    const { signal } = new AbortController();
    await this.#playlistFrom(source, MULTIVARIANT_NAME, new URLSearchParams(), signal);
  }

  #listed(
    listed: Listed,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<Answer> {
    const { deadlines } = this.#options;
    const seconds = listed.durationMicros / MICROS;
    const maxSeconds = Math.max(deadlines.secondsLeft() + seconds, SILENCE_SECONDS);
    return race({
      fleet: this.#options.fleet,
      hedgeSeconds: this.#hedgeSeconds(),
      signal,
      attempt: (source, stop) =>
        source.object(listed, () => deadlines.arrived(seconds), {
          silenceSeconds: SILENCE_SECONDS,
          maxSeconds: Math.min(maxSeconds, MAX_SECONDS),
          signal: stop,
          onProgress,
        }),
    });
  }

  async #playlistFrom(
    source: Source,
    name: string,
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<PlaylistDownload> {
    for (let tries = 1; ; tries += 1) {
      const read = await this.#read(source, name, query, signal);
      if (!('rendition' in read.playlist)) return read;
      const newest = this.#newest.get(name);
      const isBehind = newest !== undefined && nextSequence(read.playlist) < nextSequence(newest);
      if (isBehind && read.playlist.publishedAt > newest.publishedAt) {
        this.#newest.clear();
        this.#options.onRestart();
      } else if (isBehind && tries < CATCH_UP_TRIES) {
        // A relay that is a moment behind the last one: players do not expect a list to shrink.
        await pause(CATCH_UP_SECONDS, signal);
        continue;
      }
      this.#newest.set(name, read.playlist);
      this.#options.library.add(read.playlist);
      return read;
    }
  }

  async #read(
    source: Source,
    name: string,
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<PlaylistDownload> {
    const answer = await this.#fetched(source, name, query, signal);
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(answer.body);
    const playlist = await this.#verified(answer.body, name);
    const { freshness, fleet } = this.#options;
    const key = source.tally.node ?? 'origin';
    const fault = freshness.fault(key, name, playlist, monotonicSeconds());
    if (fault !== null) {
      freshness.forget(key);
      throw new SourceError('stale-playlist', fault);
    }
    if (answer.isDraining) fleet.drain(source);
    return { text, playlist, firstByteAtMillis: answer.firstByteAtMillis };
  }

  async #verified(data: Answer['body'], name: string): Promise<PlaylistDownload['playlist']> {
    const rendition = renditionOf(name);
    try {
      return rendition === null
        ? await this.#options.engine.readMultivariant(data)
        : await this.#options.engine.readMedia(data, rendition);
    } catch (error) {
      if (error instanceof SignatureError || error instanceof MalformedError) {
        throw new SourceError('bad-playlist', error.message);
      }
      throw error;
    }
  }

  async #fetched(source: Source, name: string, query: URLSearchParams, signal: AbortSignal) {
    const plain = { silenceSeconds: SILENCE_SECONDS, maxSeconds: 2 * SILENCE_SECONDS, signal };
    if (query.toString() === '') return source.playlist(name, plain);
    const isBlocking = query.has('_HLS_msn');
    const patience = isBlocking
      ? { silenceSeconds: BLOCKED_SECONDS, maxSeconds: 2 * BLOCKED_SECONDS, signal }
      : plain;
    try {
      return await source.playlist(`${name}?${query.toString()}`, patience);
    } catch (error) {
      const isSilent = error instanceof SourceError && error.reason === 'unreachable';
      if (!isBlocking || !isSilent) throw error;
      // The origin may have nothing new. Who gives a fresh playlist at once is alive.
      return source.playlist(name, plain);
    }
  }

  /** How long a blocked request for the next piece usually lasts. */
  #stepSeconds(name: string): number {
    const newest = this.#newest.get(name);
    if (newest === undefined) return 0;
    return newest.partTargetMicros === null
      ? newest.targetSeconds
      : newest.partTargetMicros / MICROS;
  }

  #hedgeSeconds(): number {
    const half = this.#options.deadlines.secondsLeft() / 2;
    return Math.min(Math.max(half, LEAST_HEDGE_SECONDS), MOST_HEDGE_SECONDS);
  }
}
