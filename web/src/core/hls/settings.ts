import type { HlsConfig } from 'hls.js';
import type { Downloader } from '../sources/downloader';
import { fragmentLoader, playlistLoader } from './loaders';

/** A second more than the three parts that HLS asks for: time to leave a relay that fails before the buffer is empty. */
export const BEHIND_LIVE_SECONDS = 2.5;

/** Repeats only when no source answers at all: each one was asked by then. */
const RETRY = { maxNumRetry: Number.POSITIVE_INFINITY, retryDelayMs: 1000, maxRetryDelayMs: 4000 };
const POLICY = {
  default: {
    maxTimeToFirstByteMs: Number.POSITIVE_INFINITY,
    maxLoadTimeMs: Number.POSITIVE_INFINITY,
    timeoutRetry: RETRY,
    errorRetry: RETRY,
  },
};

/** How hls.js plays what the downloader gets. */
export function settings(downloader: Downloader): Partial<HlsConfig> {
  return {
    pLoader: playlistLoader(downloader),
    fLoader: fragmentLoader(downloader),
    manifestLoadPolicy: POLICY,
    playlistLoadPolicy: POLICY,
    fragLoadPolicy: POLICY,
    // The origin makes fMP4: there is nothing to remultiplex off the main thread.
    enableWorker: false,
    lowLatencyMode: true,
    liveSyncDuration: BEHIND_LIVE_SECONDS,
    maxLiveSyncPlaybackRate: 1.1,
    backBufferLength: 30,
    capLevelToPlayerSize: true,
    testBandwidth: false,
    abrEwmaDefaultEstimate: 2_000_000,
  };
}
