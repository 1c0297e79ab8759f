import type { Hex } from '../protocol/bytes';
import type { Receipt, SessionTicket } from '../protocol/typed-data';

/** The bounds on a pool's traffic, as its stream record and the coordinator say. */
export interface Rate {
  readonly maxBytesPerSecond: bigint;
  readonly slackSeconds: bigint;
}

/** What this viewer owes one node under one ticket: cumulative counters. Pure; it is told the time. */
export class Account {
  readonly ticket: SessionTicket;
  readonly sessionId: Hex;
  #delivered = 0n;
  #onTime = 0n;
  #mediaSequence = 0n;
  #sequence = 0n;
  #signedAt = 0n;

  constructor(ticket: SessionTicket, sessionId: Hex) {
    this.ticket = ticket;
    this.sessionId = sessionId;
  }

  get bytesDelivered(): bigint {
    return this.#delivered;
  }

  /** Whether the ticket's credit covers so many more bytes. */
  hasRoom(lengthBytes: number): boolean {
    return this.#delivered + BigInt(lengthBytes) <= this.ticket.maxBytes;
  }

  /**
   * How many seconds before so many more bytes are within the pool's rate, 0 if they are.
   *
   * A viewer that catches up too fast would have its relay's record rejected (docs/protocol.md section 4, code 9).
   */
  secondsUntil(lengthBytes: number, now: bigint, rate: Rate): number {
    const total = this.#delivered + BigInt(lengthBytes);
    const perSecond = rate.maxBytesPerSecond > 0n ? rate.maxBytesPerSecond : 1n;
    const seconds = (total + perSecond - 1n) / perSecond - rate.slackSeconds;
    const wait = Number(this.ticket.issuedAt + seconds - now);
    return Math.max(wait, 0);
  }

  /** Counts a whole object whose hash matched; throws RangeError beyond the ticket's credit. */
  count(lengthBytes: number, mediaSequence: number, isOnTime: boolean): void {
    if (!this.hasRoom(lengthBytes)) {
      throw new RangeError(`${lengthBytes} more bytes exceed the ticket: renew it first`);
    }
    const length = BigInt(lengthBytes);
    this.#delivered += length;
    if (isOnTime) this.#onTime += length;
    const at = BigInt(mediaSequence);
    if (at > this.#mediaSequence) this.#mediaSequence = at;
  }

  /** The receipt for all that was counted so far. `now` is the coordinator's time in Unix seconds. */
  next(now: bigint): Receipt {
    // A clock that is set back must not make a newer receipt look older.
    if (now > this.#signedAt) this.#signedAt = now;
    this.#sequence += 1n;
    return {
      sessionId: this.sessionId,
      sequence: this.#sequence,
      bytesDelivered: this.#delivered,
      bytesOnTime: this.#onTime,
      mediaSequence: this.#mediaSequence,
      signedAt: this.#signedAt,
    };
  }
}
