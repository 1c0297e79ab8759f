import { monotonicSeconds, pause } from '../clock';
import type { Engine } from '../crypto/engine';
import {
  AbortedError,
  type Answer,
  type Bounds,
  RefusedError,
  TooLongError,
  exchange,
} from '../net/http';
import { MAX_PLAYLIST_BYTES } from '../playlist/signed-text';
import type { Listed } from '../playlist/library';
import type { MediaObject } from '../playlist/objects';
import type { Bytes } from '../protocol/bytes';
import type { Account, Rate } from '../session/account';
import type { CoordinatorTime } from '../session/coordinator-time';
import type { Receipts } from '../session/receipts';
import { GoneError, SessionOverError, SourceError, meaning } from './faults';
import type { Tally } from './tally';

const SESSION_HEADER = 'StreamrP2P-Session';
const DRAINING_HEADER = 'StreamrP2P-Draining';
/** A wait for the pool's rate that is longer than this would never end. */
const MAX_PACE_SECONDS = 10;
const PACE_SECONDS = 0.2;
const NOT_FOUND = 404;
const PAYMENT_REQUIRED = 402;

/** One relay's ticket at work: what is owed, and how it is paid. */
export interface Session {
  readonly account: Account;
  readonly receipts: Receipts;
  /** So many bytes may be unpaid. */
  readonly creditBytes: bigint;
  readonly rate: Rate;
  readonly time: CoordinatorTime;
}

export interface SourceOptions {
  readonly tally: Tally;
  readonly poolId: number;
  readonly engine: Engine;
  /** null: the origin, which nobody is paid for. */
  readonly session: Session | null;
}

/** A playlist as it came, not verified yet. */
export interface PlaylistAnswer extends Answer {
  readonly isDraining: boolean;
}

/** How patiently to ask; what to tell. */
export type Patience = Omit<Bounds, 'maxBytes'>;

/**
 * One place that bytes come from: a relay under a session, or the origin without one.
 *
 * Methods throw SourceError, which says why to leave, SessionOverError when a new ticket is due, GoneError, AbortedError.
 */
export class Source {
  readonly tally: Tally;
  readonly session: Session | null;
  readonly #options: SourceOptions;
  readonly #folder: string;
  /** Handed to the network, whether they came or not: the relay counts them until they are paid. */
  #requestedBytes = 0n;
  #pendingBytes = 0;
  #uses = 0;
  #onIdle: (() => void) | null = null;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.tally = options.tally;
    this.session = options.session;
    this.#folder = `${this.tally.endpoint}/v1/streams/${options.poolId}/`;
  }

  get isRelay(): boolean {
    return this.session !== null;
  }

  /** `name` with query, such as `source.m3u8?_HLS_msn=7`. */
  async playlist(name: string, patience: Patience): Promise<PlaylistAnswer> {
    const answer = await this.#used(() =>
      this.#get(name, { ...patience, maxBytes: MAX_PLAYLIST_BYTES }).catch((error: unknown) => {
        throw error instanceof TooLongError
          ? new SourceError('bad-playlist', error.message)
          : meaning(error, 'refused');
      }),
    );
    return { ...answer, isDraining: answer.headers.get(DRAINING_HEADER) === '1' };
  }

  /** The very bytes that the origin vouched for. They are counted as they arrive; the next receipt pays for them. */
  object(listed: Listed, isOnTime: () => boolean, patience: Patience): Promise<Answer> {
    const { object } = listed;
    return this.#used(async () => {
      // Before any wait: what is asked for at the same time shares the ticket's credit.
      this.#pendingBytes += object.lengthBytes;
      try {
        await this.#reserve(object.lengthBytes, patience.signal);
        const answer = await this.#paid(object, patience);
        const body = await this.#verified(object, answer.body);
        this.#count(listed, isOnTime());
        return { ...answer, body };
      } finally {
        this.#pendingBytes -= object.lengthBytes;
      }
    });
  }

  /** Pay what is owed, once what is under way is through. */
  async close(): Promise<void> {
    if (this.#uses > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.session?.receipts.close();
  }

  #count({ object, mediaSequence }: Listed, isOnTime: boolean): void {
    this.tally.delivered(object.lengthBytes, isOnTime);
    if (this.session === null) return;
    this.session.account.count(object.lengthBytes, mediaSequence, isOnTime);
    this.session.receipts.counted();
  }

  async #used<T>(use: () => Promise<T>): Promise<T> {
    this.#uses += 1;
    try {
      return await use();
    } finally {
      this.#uses -= 1;
      if (this.#uses === 0) this.#onIdle?.();
    }
  }

  /** Wait until a receipt for all that is pending would be accepted, and the relay gives the last of it, so many bytes. */
  async #reserve(lengthBytes: number, signal?: AbortSignal): Promise<void> {
    const { session } = this;
    if (session === null) return;
    const bytes = this.#pendingBytes;
    if (!session.account.hasRoom(bytes)) {
      if (session.account.bytesDelivered === 0n && bytes === lengthBytes) {
        throw new SourceError('unpaid', "the ticket's credit is less than one object");
      }
      throw new SessionOverError("the ticket's credit is used up");
    }
    for (;;) {
      const now = session.time.at(monotonicSeconds());
      const wait = session.account.secondsUntil(bytes, now, session.rate);
      if (wait > MAX_PACE_SECONDS) {
        throw new SourceError('unpaid', "the pool's bytes per second do not cover its stream");
      }
      if (signal?.aborted === true) throw new AbortedError('stopped');
      if (wait === 0) break;
      await pause(Math.min(wait, PACE_SECONDS), signal);
    }
    const unpaid = this.#requestedBytes - session.receipts.coveredBytes;
    if (unpaid > 0n && unpaid + BigInt(lengthBytes) > session.creditBytes) await this.#pay(session);
  }

  /** Fetch; where the relay wants a receipt first, give it one and ask again. */
  async #paid(object: MediaObject, patience: Patience): Promise<Answer> {
    const bounds = { ...patience, maxBytes: object.lengthBytes };
    try {
      return await this.#object(object, bounds);
    } catch (error) {
      if (this.session === null || !isPaymentRequired(error)) {
        throw this.#objectFault(error, object);
      }
    }
    await this.#pay(this.session);
    try {
      return await this.#object(object, bounds);
    } catch (error) {
      // Bytes that were stopped on their way are never paid for; under the next ticket they do not count.
      if (isPaymentRequired(error)) throw new SessionOverError('paid for, and yet more is asked');
      throw this.#objectFault(error, object);
    }
  }

  #object(object: MediaObject, bounds: Bounds): Promise<Answer> {
    this.#requestedBytes += BigInt(object.lengthBytes);
    return this.#get(object.name, bounds).catch((error: unknown) => {
      const wasSent = !(error instanceof RefusedError || error instanceof SessionOverError);
      if (!wasSent) this.#requestedBytes -= BigInt(object.lengthBytes);
      throw error;
    });
  }

  async #pay(session: Session): Promise<void> {
    try {
      await session.receipts.pay();
    } catch (error) {
      throw meaning(error, 'receipt-refused');
    }
  }

  async #verified(object: MediaObject, data: Bytes): Promise<Bytes> {
    const lengthBytes = data.length;
    const verified = await this.#options.engine.verified(data, object);
    if (verified !== null) return verified;
    this.tally.refused(lengthBytes);
    throw new SourceError('corrupt-object', `${object.name} is not what the origin signed for`);
  }

  async #get(name: string, bounds: Bounds): Promise<Answer> {
    if (this.#isExpired()) throw new SessionOverError('the ticket has expired');
    const sessionId = this.session?.account.sessionId;
    const headers = sessionId === undefined ? {} : { [SESSION_HEADER]: sessionId };
    return exchange(this.#folder + name, { headers }, bounds);
  }

  /** By a clock that is never ahead of the coordinator's: the relay would refuse. */
  #isExpired(): boolean {
    const { session } = this;
    return (
      session !== null && session.time.at(monotonicSeconds()) >= session.account.ticket.expiresAt
    );
  }

  #objectFault(error: unknown, object: MediaObject): unknown {
    if (error instanceof TooLongError) {
      this.tally.refused(object.lengthBytes);
      return new SourceError('corrupt-object', `${object.name}: ${error.message}`);
    }
    if (error instanceof RefusedError && error.status === NOT_FOUND) {
      return new GoneError(error.message);
    }
    return meaning(error, 'refused');
  }
}

function isPaymentRequired(error: unknown): boolean {
  return error instanceof RefusedError && error.status === PAYMENT_REQUIRED;
}
