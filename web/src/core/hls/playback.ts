import { monotonicSeconds } from '../clock';
import type { Deadlines } from '../sources/deadlines';

/** Less than this is nothing: the last frame of a buffer is never quite played. */
const DRY_SECONDS = 0.05;
const HAVE_FUTURE_DATA = 3;
/** With so much at hand it is the decoder that was waited for, some milliseconds mostly, and not the stream. */
const ENOUGH_SECONDS = 0.5;

/** What the video element tells of playback: what is buffered, when it runs dry, how often it stood still. */
export class Playback implements Deadlines {
  readonly #video: HTMLVideoElement;
  readonly #listeners = new AbortController();
  /** What arrived, but is not yet in the buffer, lasts until then. */
  #arrivedUntil = 0;
  #hasBegun = false;
  #stalledAt: number | null = null;
  #stalls = 0;
  #stalledSeconds = 0;

  constructor(video: HTMLVideoElement, onChange: () => void) {
    this.#video = video;
    const on = (type: keyof HTMLVideoElementEventMap, act: () => void) => {
      video.addEventListener(
        type,
        () => {
          act();
          onChange();
        },
        { signal: this.#listeners.signal },
      );
    };
    on('playing', () => {
      this.#hasBegun = true;
      this.#resumed();
    });
    on('waiting', () => {
      this.#stood();
    });
    on('pause', () => {
      this.#resumed();
    });
    on('seeking', () => {
      this.#arrivedUntil = 0;
      this.#resumed();
    });
    on('seeked', () => undefined);
    on('ended', () => {
      this.#resumed();
    });
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get isStalled(): boolean {
    return this.#stalledAt !== null;
  }

  get stalls(): number {
    return this.#stalls;
  }

  /** A stall that still lasts included. */
  get stalledSeconds(): number {
    const lasting = this.#stalledAt === null ? 0 : monotonicSeconds() - this.#stalledAt;
    return this.#stalledSeconds + lasting;
  }

  /** Media from the current position on, without a gap. */
  get bufferSeconds(): number {
    const { buffered, currentTime } = this.#video;
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= currentTime + DRY_SECONDS && buffered.end(index) > currentTime) {
        return buffered.end(index) - currentTime;
      }
    }
    return 0;
  }

  secondsLeft(): number {
    if (!this.#isDue()) return Number.POSITIVE_INFINITY;
    return Math.max(this.#bufferedSeconds(), this.#arrivedUntil - monotonicSeconds(), 0);
  }

  arrived(durationSeconds: number): boolean {
    if (!this.#isDue()) return true;
    const left = this.secondsLeft();
    // Late media stops the player until it arrives, which moves every later deadline: a stall is charged once.
    this.#arrivedUntil = monotonicSeconds() + this.#bufferedSeconds() + durationSeconds;
    return left > 0;
  }

  destroy(): void {
    this.#listeners.abort();
  }

  /** Before playback begins, while it is paused or looks for another place, nothing can be late. */
  #isDue(): boolean {
    const { paused, seeking, ended } = this.#video;
    return this.#hasBegun && !paused && !seeking && !ended;
  }

  #bufferedSeconds(): number {
    const seconds = this.bufferSeconds;
    const isDry = seconds < DRY_SECONDS && this.#video.readyState < HAVE_FUTURE_DATA;
    return isDry ? 0 : seconds / (this.#video.playbackRate || 1);
  }

  #stood(): void {
    if (!this.#isDue() || this.#stalledAt !== null) return;
    if (this.bufferSeconds > ENOUGH_SECONDS) return;
    this.#stalledAt = monotonicSeconds();
    this.#stalls += 1;
  }

  #resumed(): void {
    if (this.#stalledAt === null) return;
    this.#stalledSeconds += monotonicSeconds() - this.#stalledAt;
    this.#stalledAt = null;
  }
}
