import type { SessionTicket } from '../protocol/typed-data';
import type { EpochClock } from './epoch-clock';

const RENEWAL_MARGIN_SECONDS = 10n;

/**
 * When the next ticket is due, in the coordinator's Unix seconds.
 *
 * One that lasts to the end of its epoch cannot be renewed before: the next one would be of the same epoch. One that
 * ends earlier is renewed a little before, or at half its life if that is short.
 */
export function renewAt(ticket: SessionTicket, clock: EpochClock): bigint {
  const epochEnd = clock.end(ticket.epoch);
  if (ticket.expiresAt >= epochEnd) return epochEnd;
  const half = (ticket.issuedAt + ticket.expiresAt) / 2n;
  const before = ticket.expiresAt - RENEWAL_MARGIN_SECONDS;
  return before > half ? before : half;
}
