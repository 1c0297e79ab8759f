import { RefusedError, TooLongError, UnreachableError } from '../net/http';
import { MalformedError } from '../protocol/errors';
import type { LeaveReason } from '../types';

/** A relay, or the origin, cannot be used any more; the viewer goes on elsewhere. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly reason: LeaveReason;

  constructor(reason: LeaveReason, detail: string) {
    super(`${reason}: ${detail}`);
    this.reason = reason;
  }
}

/** The relay serves this session no more, but would serve the next: a new ticket is due. */
export class SessionOverError extends Error {
  override readonly name = 'SessionOverError';
}

/** The source does not have the object, which is no fault when its playlist has moved on meanwhile. */
export class GoneError extends Error {
  override readonly name = 'GoneError';
}

/** No relay can be had now: the coordinator is down, or every relay is busy or avoided. */
export class NoRelayError extends Error {
  override readonly name = 'NoRelayError';
}

/** The relay is not asked again in this watch: it served what no accident explains. */
export function isFinal(reason: LeaveReason): boolean {
  return reason === 'corrupt-object' || reason === 'bad-playlist';
}

/** It may not be the relay's fault: then it is not avoided for longer each time. */
export function mayBeTheOrigins(reason: LeaveReason): boolean {
  return reason === 'stale-playlist' || reason === 'origin-failed' || reason === 'draining';
}

/** Slugs of refusals after which the next ticket is served. */
const SESSION_OVER = [
  'ticket-expired',
  'ticket-exhausted',
  'session-unknown',
  'session-missing',
  'intake-closed',
];
/** Slugs with which a relay that serves nobody for now says so. */
const LEAVING = ['draining', 'over-data-cap', 'off-schedule'];

/** What an error of an exchange means to the viewer; `otherwise` is said of a plain refusal. */
export function meaning(error: unknown, otherwise: LeaveReason): unknown {
  if (error instanceof UnreachableError) return new SourceError('unreachable', error.message);
  if (error instanceof MalformedError || error instanceof TooLongError) {
    return new SourceError('refused', error.message);
  }
  if (!(error instanceof RefusedError)) return error;
  if (SESSION_OVER.includes(error.slug)) return new SessionOverError(error.message);
  if (LEAVING.includes(error.slug)) return new SourceError('draining', error.message);
  if (error.slug === 'origin-failed') return new SourceError('origin-failed', error.message);
  return new SourceError(otherwise, error.message);
}
