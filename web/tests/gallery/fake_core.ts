/** A core that plays a file and says what a test tells it to say. */
import type {
  Consent,
  PlayerCore,
  PlayerError,
  PlayerEvents,
  PlayerOptions,
  PlayerState,
  PlayerStats,
  Rendition,
  SourceStats,
} from '../../src/core/types';

const NOTHING: PlayerStats = {
  state: 'idle',
  rendition: null,
  latencySeconds: null,
  bufferSeconds: 0,
  stalls: 0,
  stalledSeconds: 0,
  tickets: 0,
  sources: [],
  cpu: { hashMillis: 0, signMillis: 0, verifyMillis: 0 },
};

export class FakeCore implements PlayerCore {
  static readonly made: FakeCore[] = [];

  stats = NOTHING;
  renditions: readonly Rendition[] = [];
  /** What the player asked of it, in order. */
  readonly calls: string[] = [];
  readonly #events = new EventTarget();
  #video: HTMLVideoElement | null = null;

  constructor(readonly options: PlayerOptions) {
    FakeCore.made.push(this);
  }

  attach(video: HTMLVideoElement): void {
    this.#video = video;
    this.calls.push('attach');
  }

  start(consent: Consent): Promise<void> {
    this.calls.push(`start ${consent}`);
    if (this.#video !== null) this.#video.src = './sample.mp4';
    this.state('loading');
    return Promise.resolve();
  }

  setQuality(rendition: string): void {
    this.calls.push(`quality ${rendition}`);
  }

  seekToLive(): void {
    this.calls.push('live');
    if (this.#video !== null) this.#video.currentTime = this.#video.seekable.end(0) - 1;
  }

  async thumbnailAt(seconds: number): Promise<Blob | null> {
    this.calls.push(`thumbnail ${seconds.toFixed(0)}`);
    return (await fetch('./thumbnail.jpg')).blob();
  }

  destroy(): void {
    this.calls.push('destroy');
    this.#video?.removeAttribute('src');
    this.#video?.load();
  }

  state(state: PlayerState): void {
    this.stats = { ...this.stats, state };
    this.#events.dispatchEvent(new CustomEvent('state', { detail: state }));
  }

  say(stats: Partial<PlayerStats>): void {
    this.stats = { ...this.stats, ...stats };
    this.#events.dispatchEvent(new CustomEvent('stats', { detail: this.stats }));
  }

  source(source: SourceStats): void {
    this.#events.dispatchEvent(new CustomEvent('source', { detail: source }));
  }

  fail(error: PlayerError): void {
    this.#events.dispatchEvent(new CustomEvent('error', { detail: error }));
  }

  offer(renditions: readonly Rendition[]): void {
    this.renditions = renditions;
    this.#events.dispatchEvent(new CustomEvent('renditions', { detail: renditions }));
  }

  addEventListener<K extends keyof PlayerEvents>(
    type: K,
    listener: (event: PlayerEvents[K]) => void,
    options?: AddEventListenerOptions,
  ): void {
    this.#events.addEventListener(type, listener as EventListener, options);
  }

  removeEventListener<K extends keyof PlayerEvents>(
    type: K,
    listener: (event: PlayerEvents[K]) => void,
  ): void {
    this.#events.removeEventListener(type, listener as EventListener);
  }
}
