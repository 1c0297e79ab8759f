import Hls, { type ErrorData, ErrorTypes, Events } from 'hls.js';
import { pause } from './clock';
import InlineWorker from './crypto/worker?worker&inline';
import { MULTIVARIANT_URL, addressOf } from './hls/address';
import { Playback } from './hls/playback';
import { BEHIND_LIVE_SECONDS, settings } from './hls/settings';
import { Thumbnails } from './hls/thumbnails';
import { AbortedError } from './net/http';
import type { MultivariantPlaylist } from './playlist/multivariant';
import { MULTIVARIANT_NAME, renditionOf } from './playlist/names';
import { Outage } from './outage';
import type {
  Consent,
  PlayerCore,
  PlayerError,
  PlayerErrorCode,
  PlayerEvents,
  PlayerOptions,
  PlayerState,
  PlayerStats,
  Rendition,
} from './types';
import { OtherOriginError, UnknownPoolError, Watch } from './watch';

const STATS_SECONDS = 1;
const RETRY_SECONDS = 1;
/** Faults of the decoder within so short a time that another recovery would not help. */
const MAX_MEDIA_FAULTS = 3;
const MEDIA_FAULT_SECONDS = 20;
const NO_CPU = { hashMillis: 0, signMillis: 0, verifyMillis: 0 };

/** Whether this browser can play what was verified: Media Source Extensions, on iOS from 17.1 on. */
export function isSupported(): boolean {
  return Hls.isSupported();
}

export function createPlayerCore(options: PlayerOptions): PlayerCore {
  return new Player(options) as unknown as PlayerCore;
}

/** Shows a watch: hls.js decides what to ask for and feeds the decoder, the watch gets and verifies it. */
class Player extends EventTarget {
  readonly #options: PlayerOptions;
  readonly #page = new AbortController();
  #video: HTMLVideoElement | null = null;
  #playback: Playback | null = null;
  #watch: Watch | null = null;
  #hls: Hls | null = null;
  #state: PlayerState = 'idle';
  #isOver = false;
  readonly #outage = new Outage((detail) => {
    this.#offline(detail);
  });
  #hasFailed = false;
  #renditions: readonly Rendition[] = [];
  #mediaFaults: number[] = [];
  #thumbnails: Thumbnails | null = null;

  constructor(options: PlayerOptions) {
    super();
    this.#options = options;
  }

  get stats(): PlayerStats {
    const hls = this.#hls;
    const playback = this.#playback;
    const hasBegun = playback?.hasBegun === true;
    return {
      state: this.#state,
      rendition: hasBegun ? renditionAt(hls, hls?.currentLevel ?? -1) : null,
      latencySeconds: hasBegun && hls?.latestLevelDetails?.live === true ? hls.latency : null,
      bufferSeconds: playback?.bufferSeconds ?? 0,
      stalls: playback?.stalls ?? 0,
      stalledSeconds: playback?.stalledSeconds ?? 0,
      tickets: this.#watch?.tickets ?? 0,
      sources: this.#watch?.sources ?? [],
      cpu: this.#watch?.cpu ?? NO_CPU,
    };
  }

  get renditions(): readonly Rendition[] {
    return this.#renditions;
  }

  attach(video: HTMLVideoElement): void {
    if (this.#video !== null) throw new Error('the player has its video element already');
    this.#video = video;
    this.#playback = new Playback(video, () => {
      this.#updateState();
    });
  }

  async start(consent: Consent): Promise<void> {
    const playback = this.#playback;
    if (playback === null) throw new Error('attach a video element before you start');
    if (this.#state !== 'idle' || this.#isOver) throw new Error('a player is started once');
    this.#setState('loading');
    if (!isSupported()) {
      throw this.#fail(
        'unsupported',
        'This browser cannot play a verified stream: it has neither Media Source Extensions nor ManagedMediaSource. ' +
          'Use a current Chrome, Firefox, Edge or Safari (on iOS 17.1 or newer).',
      );
    }
    const watch = await this.#begin(consent, playback);
    this.#watch = watch;
    this.#thumbnails = new Thumbnails(watch.downloader, this.#page.signal);
    this.#keepStats(watch);
    await this.#offered(watch);
    this.#play(watch);
  }

  setQuality(rendition: string): void {
    const hls = this.#hls;
    if (hls === null) return;
    if (rendition === 'auto') {
      hls.nextLevel = -1;
      return;
    }
    const index = hls.levels.findIndex((_, each) => renditionAt(hls, each) === rendition);
    if (index < 0) throw new RangeError(`the stream has no rendition ${rendition}`);
    hls.nextLevel = index;
  }

  seekToLive(): void {
    const position = this.#hls?.liveSyncPosition ?? null;
    if (this.#video !== null && position !== null) this.#video.currentTime = position;
  }

  async thumbnailAt(seconds: number): Promise<Blob | null> {
    const details = this.#hls?.latestLevelDetails;
    const fragment = details?.fragments.find((each) => each.start <= seconds && seconds < each.end);
    if (fragment === undefined) return null;
    return (await this.#thumbnails?.near(fragment.sn)) ?? null;
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#playback?.destroy();
    this.#letGo();
    this.#setState('idle');
  }

  /** Nothing more is asked for, the last receipts are sent. */
  #letGo(): void {
    this.#page.abort();
    this.#hls?.destroy();
    this.#hls = null;
    this.#watch?.end().catch(() => undefined);
  }

  async #begin(consent: Consent, deadlines: Playback): Promise<Watch> {
    let watch: Watch;
    try {
      watch = await Watch.begin({
        coordinatorUrl: this.#options.coordinator,
        poolId: this.#options.poolId,
        originKey: this.#options.originKey?.toLowerCase(),
        consent,
        deadlines,
        createWorker: this.#options.createWorker ?? (() => new InlineWorker()),
        onSource: (stats) => {
          this.#emit('source', stats);
        },
        onRestart: () => {
          this.#hls?.loadSource(MULTIVARIANT_URL);
        },
        signal: this.#page.signal,
      });
    } catch (error) {
      if (this.#isOver) throw new Error('the player was destroyed', { cause: error });
      if (error instanceof UnknownPoolError) {
        throw this.#fail(
          'pool-unknown',
          `The coordinator knows no pool ${this.#options.poolId}: check the address of this page.`,
        );
      }
      if (error instanceof OtherOriginError) {
        throw this.#fail(
          'coordinator',
          `This page expects another origin (${error.message}): ask whoever gave you its address.`,
        );
      }
      throw this.#fail(
        'coordinator',
        `The coordinator cannot be reached (${textOf(error)}): try again later.`,
      );
    }
    if (this.#isOver) {
      await watch.end();
      throw new Error('the player was destroyed');
    }
    return watch;
  }

  /** Wait until somebody gives the stream's list of renditions. */
  async #offered(watch: Watch): Promise<void> {
    const { signal } = this.#page;
    for (;;) {
      try {
        const query = new URLSearchParams();
        const read = await watch.downloader.playlist(MULTIVARIANT_NAME, query, signal);
        this.#outage.over();
        this.#setRenditions(read.playlist as MultivariantPlaylist);
        return;
      } catch (error) {
        if (error instanceof AbortedError || this.#isOver) {
          throw new Error('the player was destroyed', { cause: error });
        }
        this.#outage.began(textOf(error));
        await pause(RETRY_SECONDS, signal);
      }
    }
  }

  #play(watch: Watch): void {
    const video = this.#video;
    if (video === null) return;
    const hls = new Hls(settings(watch.downloader));
    this.#hls = hls;
    hls.on(Events.ERROR, (_, data) => {
      this.#onHlsError(hls, data);
    });
    hls.on(Events.LEVEL_LOADED, (_, { details }) => {
      // Parts so long that the origin itself asks for more.
      const asked = details.partHoldBack || details.holdBack;
      if (asked > (hls.targetLatency ?? BEHIND_LIVE_SECONDS)) hls.targetLatency = asked;
    });
    hls.on(Events.FRAG_BUFFERED, () => {
      this.#outage.over();
    });
    hls.on(Events.LEVEL_SWITCHED, () => {
      this.#emit('stats', this.stats);
    });
    hls.loadSource(MULTIVARIANT_URL);
    hls.attachMedia(video);
  }

  #onHlsError(hls: Hls, data: ErrorData): void {
    if (data.type === ErrorTypes.NETWORK_ERROR) {
      if (data.response !== undefined) this.#outage.began(data.error.message);
      if (data.fatal) void this.#loadAgain(hls);
      return;
    }
    if (!data.fatal) return;
    const now = performance.now() / 1000;
    this.#mediaFaults = this.#mediaFaults.filter((each) => now - each < MEDIA_FAULT_SECONDS);
    this.#mediaFaults.push(now);
    if (data.type === ErrorTypes.MEDIA_ERROR && this.#mediaFaults.length < MAX_MEDIA_FAULTS) {
      hls.recoverMediaError();
      return;
    }
    this.#letGo();
    this.#fail('media', `This browser cannot play the stream (${data.details}): try another one.`);
  }

  /** hls.js gave up; whatever it was asked for, the live edge is what people came for. */
  async #loadAgain(hls: Hls): Promise<void> {
    hls.stopLoad();
    await pause(RETRY_SECONDS, this.#page.signal);
    if (this.#hls !== hls) return;
    if (hls.levels.length === 0) hls.loadSource(MULTIVARIANT_URL);
    else hls.startLoad(-1);
  }

  #keepStats(watch: Watch): void {
    const { signal } = this.#page;
    const timer = setInterval(() => {
      this.#updateState();
      this.#emit('stats', this.stats);
    }, STATS_SECONDS * 1000);
    signal.addEventListener('abort', () => {
      clearInterval(timer);
    });
    const farewell = () => {
      watch.farewell();
    };
    window.addEventListener('pagehide', farewell, { signal });
    document.addEventListener(
      'visibilitychange',
      () => {
        // On a phone this may be the last that a page hears.
        if (document.visibilityState === 'hidden') farewell();
      },
      { signal },
    );
  }

  #setRenditions(playlist: MultivariantPlaylist): void {
    this.#renditions = playlist.variants.map((each) => ({
      name: each.rendition,
      width: each.width,
      height: each.height,
      bandwidthBitsPerSecond: each.bandwidthBitsPerSecond,
    }));
    this.#emit('renditions', this.#renditions);
  }

  #updateState(): void {
    if (this.#isOver || this.#hasFailed || this.#state === 'idle') return;
    if (this.#video?.ended === true) this.#setState('ended');
    else if (this.#playback?.isStalled === true) this.#setState('stalled');
    else this.#setState(this.#playback?.hasBegun === true ? 'playing' : 'loading');
  }

  #setState(state: PlayerState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#emit('state', state);
    this.#emit('stats', this.stats);
    this.#outage.playing(state === 'playing');
  }

  #offline(detail: string): void {
    if (this.#isOver) return;
    this.#emit('error', {
      code: 'offline',
      message: `The stream cannot be had now, the player goes on trying (${detail}).`,
      isFatal: false,
    });
  }

  #fail(code: PlayerErrorCode, message: string): Error {
    this.#hasFailed = true;
    const error: PlayerError = { code, message, isFatal: true };
    this.#setState('error');
    this.#emit('error', error);
    return new Error(message);
  }

  #emit<K extends keyof PlayerEvents>(type: K, detail: PlayerEvents[K]['detail']): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function renditionAt(hls: Hls | null, index: number): string | null {
  const url = hls?.levels[index]?.uri;
  const address = url === undefined ? null : addressOf(url);
  return address === null ? null : renditionOf(address.name);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
