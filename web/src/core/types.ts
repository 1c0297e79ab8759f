/** What the core promises to whatever shows it. The user interface imports this file and `player.ts` alone. */

/** What the viewer agreed to: relays see their IP address and get receipts, or the origin alone serves them. */
export type Consent = 'relays' | 'origin';

export type PlayerState =
  'idle' | 'consent' | 'loading' | 'playing' | 'stalled' | 'ended' | 'error';

/** Totals of one place that bytes come from, over all sessions with it. Bytes are whole verified objects. */
export interface SourceStats {
  /** The relay's address, 0x and 40 lower-case hex digits; null is the origin, which nobody is paid for. */
  readonly node: string | null;
  readonly endpoint: string;
  readonly role: 'primary' | 'standby' | 'origin' | 'left';
  readonly bytesDelivered: number;
  readonly bytesOnTime: number;
  /** Bytes that did not match the hash the origin signed: thrown away, never paid. */
  readonly bytesRefused: number;
  readonly objects: number;
  /** Receipts that the relay accepted. */
  readonly receipts: number;
  readonly leftBecause: LeaveReason | null;
}

/** Why a source is used no more. */
export type LeaveReason =
  | 'corrupt-object'
  | 'bad-playlist'
  | 'stale-playlist'
  | 'missing-object'
  | 'late'
  | 'unreachable'
  | 'refused'
  | 'origin-failed'
  | 'receipt-refused'
  | 'unpaid'
  | 'draining'
  | 'moved'
  | 'relay-found'
  | 'stopped';

/** Milliseconds of computing time so far, off the main thread unless the page forbids workers. */
export interface CpuStats {
  readonly hashMillis: number;
  readonly signMillis: number;
  readonly verifyMillis: number;
}

export interface PlayerStats {
  readonly state: PlayerState;
  /** What is shown now, such as `720p`. */
  readonly rendition: string | null;
  /** Behind the live edge that the origin publishes. */
  readonly latencySeconds: number | null;
  readonly bufferSeconds: number;
  readonly stalls: number;
  readonly stalledSeconds: number;
  readonly tickets: number;
  /** In the order of their first use. */
  readonly sources: readonly SourceStats[];
  readonly cpu: CpuStats;
}

/** One choice of quality, as the origin's signed multivariant playlist lists it. */
export interface Rendition {
  readonly name: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly bandwidthBitsPerSecond: number;
}

export type PlayerErrorCode =
  /** Neither Media Source Extensions nor ManagedMediaSource: unverified bytes would be shown, so nothing is. */
  | 'unsupported'
  /** The coordinator does not answer, or not as one. */
  | 'coordinator'
  /** The coordinator knows no such pool. */
  | 'pool-unknown'
  /** Neither relay nor origin gives the stream: it is not on, or the network is down. Goes on trying. */
  | 'offline'
  /** The decoder refuses the media. */
  | 'media';

/** `message` says in English what to do; `isFatal` that the player has stopped. */
export interface PlayerError {
  readonly code: PlayerErrorCode;
  readonly message: string;
  readonly isFatal: boolean;
}

export interface PlayerEvents {
  /** About once a second while started, and at each change of state. */
  stats: CustomEvent<PlayerStats>;
  /** A source was joined, left, or changed its role. */
  source: CustomEvent<SourceStats>;
  error: CustomEvent<PlayerError>;
  state: CustomEvent<PlayerState>;
  /** The list of qualities is known or changed. */
  renditions: CustomEvent<readonly Rendition[]>;
}

export interface PlayerOptions {
  /** The coordinator's base URL. */
  readonly coordinator: string;
  readonly poolId: number;
  /** The origin key that the page expects, 0x and 40 lower-case hex digits: then the coordinator is not believed. */
  readonly originKey?: string;
  /**
   * Makes the worker that hashes, verifies and signs, for sites whose content security policy allows no `blob:`
   * worker: `() => new Worker(new URL('@streamrp2p/player/worker.js', import.meta.url), { type: 'module' })`.
   */
  readonly createWorker?: () => Worker;
}

export interface PlayerCore {
  readonly stats: PlayerStats;
  readonly renditions: readonly Rendition[];
  /** The video element to play in; once, before `start`. */
  attach(video: HTMLVideoElement): void;
  /** Begin. Resolves when the stream's playlist is there; rejects with an Error whose event was sent before. */
  start(consent: Consent): Promise<void>;
  setQuality(rendition: string): void;
  /** Jump to the live edge. */
  seekToLive(): void;
  /** The verified picture for a moment of the video element's time line, a JPEG; null when there is none. */
  thumbnailAt(seconds: number): Promise<Blob | null>;
  /** Stop, send the last receipts, let go of the video element. Nothing can be started again. */
  destroy(): void;
  addEventListener<K extends keyof PlayerEvents>(
    type: K,
    listener: (event: PlayerEvents[K]) => void,
    options?: AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof PlayerEvents>(
    type: K,
    listener: (event: PlayerEvents[K]) => void,
  ): void;
}
