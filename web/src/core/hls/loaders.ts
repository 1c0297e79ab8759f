import {
  type FragmentLoaderContext,
  type HlsConfig,
  LoadStats,
  type Loader,
  type LoaderCallbacks,
  type LoaderConfiguration,
  type LoaderContext,
  type LoaderStats,
  type PlaylistLoaderContext,
} from 'hls.js';
import { AbortedError } from '../net/http';
import type { Downloader } from '../sources/downloader';
import { GoneError } from '../sources/faults';
import { type Address, addressOf } from './address';

/** HTTP statuses by which hls.js decides: 404 is not asked for again, 503 is, after a pause. */
const GONE = 404;
const UNAVAILABLE = 503;

type LoaderClass<Context extends LoaderContext> = new (config: HlsConfig) => Loader<Context>;

interface Loaded {
  readonly data: string | ArrayBuffer;
  readonly bytes: number;
  readonly firstByteAtMillis: number;
}

/**
 * hls.js's way to bytes. What fails at one source is asked of the next before hls.js hears of it, so it waits for no
 * deadline of its own and repeats only when nobody answers.
 */
abstract class VerifiedLoader<Context extends LoaderContext> implements Loader<Context> {
  context: Context | null = null;
  stats: LoaderStats = new LoadStats();
  protected readonly downloader: Downloader;
  readonly #controller = new AbortController();
  #callbacks: LoaderCallbacks<Context> | null = null;

  constructor(downloader: Downloader) {
    this.downloader = downloader;
  }

  protected abstract get(address: Address, signal: AbortSignal): Promise<Loaded>;

  load(context: Context, _: LoaderConfiguration, callbacks: LoaderCallbacks<Context>): void {
    this.context = context;
    this.#callbacks = callbacks;
    this.stats.loading.start = performance.now();
    void this.#load(context);
  }

  abort(): void {
    const callbacks = this.#callbacks;
    this.#stop();
    if (callbacks !== null && this.context !== null) {
      callbacks.onAbort?.(this.stats, this.context, null);
    }
  }

  destroy(): void {
    this.#stop();
  }

  async #load(context: Context): Promise<void> {
    const { stats } = this;
    try {
      const address = addressOf(context.url);
      if (address === null) throw new GoneError(`${context.url} is not of the stream`);
      const loaded = await this.get(address, this.#controller.signal);
      stats.loading.first = Math.max(loaded.firstByteAtMillis, stats.loading.start);
      stats.loading.end = Math.max(performance.now(), stats.loading.first);
      stats.loaded = stats.total = loaded.bytes;
      stats.chunkCount = 1;
      const seconds = (stats.loading.end - stats.loading.first) / 1000;
      if (seconds > 0) stats.bwEstimate = (stats.loaded * 8) / seconds;
      this.#settle()?.onSuccess(
        { url: context.url, data: loaded.data, code: 200 },
        stats,
        context,
        null,
      );
    } catch (error) {
      if (error instanceof AbortedError) return;
      const text = error instanceof Error ? error.message : String(error);
      const code = error instanceof GoneError ? GONE : UNAVAILABLE;
      this.#settle()?.onError({ code, text }, context, null, stats);
    }
  }

  /** The callbacks, once. */
  #settle(): LoaderCallbacks<Context> | null {
    const callbacks = this.#callbacks;
    this.#callbacks = null;
    return callbacks;
  }

  #stop(): void {
    if (this.#settle() !== null) this.stats.aborted = true;
    this.#controller.abort();
  }
}

/** Playlists, verified against the origin's signature. */
export function playlistLoader(downloader: Downloader): LoaderClass<PlaylistLoaderContext> {
  return class extends VerifiedLoader<PlaylistLoaderContext> {
    constructor() {
      super(downloader);
    }

    protected async get({ name, query }: Address, signal: AbortSignal): Promise<Loaded> {
      const read = await this.downloader.playlist(name, query, signal);
      return {
        data: read.text,
        bytes: read.text.length,
        firstByteAtMillis: read.firstByteAtMillis,
      };
    }
  };
}

/** Maps, segments and parts, verified against their hashes in signed playlists. */
export function fragmentLoader(downloader: Downloader): LoaderClass<FragmentLoaderContext> {
  return class extends VerifiedLoader<FragmentLoaderContext> {
    constructor() {
      super(downloader);
    }

    protected async get({ name }: Address, signal: AbortSignal): Promise<Loaded> {
      this.stats.total = this.downloader.lengthBytes(name);
      const { body, firstByteAtMillis } = await this.downloader.object(name, signal, (progress) => {
        // The rules by which hls.js gives up a slow segment look at this while it loads.
        this.stats.loaded = progress.loadedBytes;
        this.stats.loading.first ||= progress.firstByteAtMillis;
      });
      return { data: body.buffer, bytes: body.length, firstByteAtMillis };
    }
  };
}
