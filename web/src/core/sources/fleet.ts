import { monotonicSeconds } from '../clock';
import type { Hex } from '../protocol/bytes';
import type { Consent, LeaveReason, SourceStats } from '../types';
import type { Admission } from './admission';
import { NoRelayError, SessionOverError, SourceError, isFinal } from './faults';
import type { Source } from './source';
import type { Tally } from './tally';

const MAINTAIN_SECONDS = 0.5;
/** Between questions for a relay while watching the origin. */
const LOOK_FOR_RELAY_SECONDS = 3;
/** Between questions for a standby, or for the next ticket while the last one may still do. */
const LOOK_FOR_STANDBY_SECONDS = 10;
const LOOK_FOR_TICKET_SECONDS = 1;
/** A relay that refuses a ticket younger than this is left. */
const LEAST_RENEWAL_SECONDS = 2;
/** Often enough that servers keep the standby's connection open: most close one after five silent seconds. */
const WARM_SECONDS = 4;
/** Relays that cannot be joined, one after the other, before the watch begins at the origin. */
const FIRST_TRIES = 3;

export interface FleetOptions {
  readonly admission: Admission;
  readonly consent: Consent;
  /** Asks the standby for something small and checks it; throws the errors of Source. */
  readonly warm: (source: Source) => Promise<void>;
  readonly onChange: (tally: Tally) => void;
}

/**
 * Which sources there are: a primary relay, a standby that is ready to take over, and the origin as the last resort.
 *
 * Changes them by ticket, by failure, and when something better turns up.
 */
export class Fleet {
  readonly #options: FleetOptions;
  #primary: Source | null = null;
  #standby: Source | null = null;
  readonly #origin: Source;
  #timer: ReturnType<typeof setInterval> | null = null;
  /** Left, with receipts that may still be under way. */
  readonly #retiring = new Set<Source>();
  /** By what is being done: one at a time of each. */
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #notBefore = new Map<string, number>();
  readonly #renewedAt = new Map<Hex | null, number>();
  readonly #renewals = new Map<Source, Promise<void>>();
  #isClosed = false;

  /** Throws MalformedError when the pool's origin URL is none. */
  constructor(options: FleetOptions) {
    this.#options = options;
    this.#origin = options.admission.origin();
  }

  /** Find the first relay, and go on keeping the fleet from then on. Rejects when stopped meanwhile. */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#options.consent === 'origin') {
      this.#useOrigin();
      return;
    }
    for (let tries = 0; this.#primary === null && tries < FIRST_TRIES; tries += 1) {
      signal.throwIfAborted();
      try {
        this.#join(await this.#options.admission.find([]), 'primary');
      } catch (error) {
        if (error instanceof NoRelayError) break;
        if (!(error instanceof SourceError)) throw error;
      }
    }
    signal.throwIfAborted();
    if (this.#primary === null) this.#useOrigin();
    this.#timer = setInterval(() => {
      this.#maintain();
    }, MAINTAIN_SECONDS * 1000);
    this.#maintain();
  }

  /** The sources to ask, best first. The origin is the last, and asked only when nobody else delivers. */
  candidates(): Source[] {
    const relays = [this.#primary, this.#standby].filter((each) => each !== null);
    return this.#isClosed ? [] : [...relays, this.#origin];
  }

  /** Who may be asked as well, before it is too late: never the origin while there is a standby. */
  helper(): Source | null {
    return this.candidates()[1] ?? null;
  }

  /** The standby was faster: ask it first from now on. */
  prefer(source: Source): void {
    const primary = this.#primary;
    if (source !== this.#standby || primary === null) return;
    this.#join(source, 'primary');
    this.#join(primary, 'standby');
  }

  /** Leave a source, and avoid it for a while. What it is sending may still arrive. */
  leave(source: Source, reason: LeaveReason): void {
    const { node } = source.tally;
    if (node === null) return;
    if (this.#isUsed(source) || isFinal(reason)) this.#options.admission.avoid(node, reason);
    if (!this.#isUsed(source)) return;
    if (source === this.#standby) this.#standby = null;
    if (source === this.#primary) {
      this.#primary = null;
      this.#promoteStandby();
    }
    this.#retire(source, reason);
    this.#notBefore.clear();
    this.#maintain();
  }

  /** The relay asks for the next ticket; one that asks again at once is left. */
  async renewNow(source: Source): Promise<void> {
    if (!this.#isUsed(source)) return;
    const { node } = source.tally;
    const now = monotonicSeconds();
    const isNew =
      now - (this.#renewedAt.get(node) ?? Number.NEGATIVE_INFINITY) < LEAST_RENEWAL_SECONDS;
    if (!isNew) await this.#renew(source);
    if (this.#isUsed(source)) this.leave(source, 'refused');
  }

  /** The relay will be gone soon: move, as soon as there is somewhere to move to. */
  drain(source: Source): void {
    if (source === this.#standby || (source === this.#primary && this.#standby !== null)) {
      this.leave(source, 'draining');
    } else if (source === this.#primary) {
      this.#once('move', LOOK_FOR_RELAY_SECONDS, async () => {
        await this.#findStandby(source);
        if (this.#standby !== null) this.leave(source, 'draining');
      });
    }
  }

  /** The page goes away: send every receipt that is not paid yet, without waiting. */
  farewell(): void {
    for (const source of [this.#primary, this.#standby, ...this.#retiring]) {
      source?.session?.receipts.leave();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const source of [this.#primary, this.#standby]) {
      if (source !== null) this.#retire(source, 'stopped');
    }
    if (this.#origin.tally.role === 'origin') this.#setRole(this.#origin.tally, 'left', 'stopped');
    this.#primary = this.#standby = null;
    await Promise.all([...this.#retiring].map((each) => each.close()));
  }

  #maintain(): void {
    if (this.#isClosed || this.#options.consent === 'origin') return;
    const { admission } = this.#options;
    const primary = this.#primary;
    const standby = this.#standby;
    if (primary === null) {
      this.#once('primary', LOOK_FOR_RELAY_SECONDS, () => this.#findPrimary());
      return;
    }
    for (const source of [primary, standby]) {
      if (source !== null && admission.isRenewalDue(source)) {
        this.#once(`renew ${String(source.tally.node)}`, LOOK_FOR_TICKET_SECONDS, () =>
          this.#renew(source),
        );
      }
    }
    if (standby === null) {
      this.#once('standby', LOOK_FOR_STANDBY_SECONDS, () => this.#findStandby(primary));
    } else {
      this.#once('warm', WARM_SECONDS, () => this.#warm(standby));
    }
  }

  async #findPrimary(): Promise<void> {
    const found = await this.#options.admission.find([]);
    if (this.#isClosed || this.#primary !== null) {
      await found.close();
      return;
    }
    this.#join(found, 'primary');
  }

  async #findStandby(primary: Source): Promise<void> {
    const found = await this.#options.admission.find(nodes(primary));
    const isDouble = found.tally.node === this.#primary?.tally.node;
    if (this.#isClosed || this.#standby !== null || isDouble) {
      await found.close();
      return;
    }
    if (this.#primary === null) this.#join(found, 'primary');
    else this.#join(found, 'standby');
  }

  async #warm(standby: Source): Promise<void> {
    try {
      await this.#options.warm(standby);
    } catch (error) {
      if (error instanceof SourceError) this.leave(standby, error.reason);
      else if (error instanceof SessionOverError) await this.renewNow(standby);
      else throw error;
    }
  }

  /** Go on under the next ticket, perhaps at another relay; without one, go on as before. */
  #renew(source: Source): Promise<void> {
    const renewal =
      this.#renewals.get(source) ??
      this.#renewed(source).finally(() => {
        this.#renewals.delete(source);
      });
    this.#renewals.set(source, renewal);
    return renewal;
  }

  async #renewed(source: Source): Promise<void> {
    const others = [this.#primary, this.#standby].filter((each) => each !== source);
    const found = await this.#options.admission.find(nodes(...others)).catch((error: unknown) => {
      if (error instanceof NoRelayError || error instanceof SourceError) return null;
      throw error;
    });
    if (found === null) return;
    const isDouble = [this.#primary, this.#standby].some(
      (each) => each !== source && each?.tally === found.tally,
    );
    if (this.#isClosed || !this.#isUsed(source) || isDouble) {
      await found.close();
      return;
    }
    this.#renewedAt.set(found.tally.node, monotonicSeconds());
    const isPrimary = source === this.#primary;
    if (isPrimary) this.#primary = null;
    else this.#standby = null;
    this.#retire(source, found.tally === source.tally ? null : 'moved');
    this.#join(found, isPrimary ? 'primary' : 'standby');
  }

  #promoteStandby(): void {
    const standby = this.#standby;
    this.#standby = null;
    if (standby !== null) this.#join(standby, 'primary');
    else this.#useOrigin();
  }

  #join(source: Source, role: 'primary' | 'standby'): void {
    if (role === 'primary') this.#primary = source;
    else this.#standby = source;
    this.#setRole(source.tally, role, null);
    if (this.#origin.tally.role === 'origin') {
      this.#setRole(this.#origin.tally, 'left', 'relay-found');
    }
  }

  #useOrigin(): void {
    this.#setRole(this.#origin.tally, 'origin', null);
  }

  #retire(source: Source, reason: LeaveReason | null): void {
    this.#retiring.add(source);
    void source.close().finally(() => {
      this.#retiring.delete(source);
    });
    if (reason !== null) this.#setRole(source.tally, 'left', reason);
  }

  #setRole(tally: Tally, role: SourceStats['role'], leftBecause: LeaveReason | null): void {
    if (role === 'left') tally.left(leftBecause);
    else tally.joined(role);
    this.#options.onChange(tally);
  }

  #isUsed(source: Source): boolean {
    return source === this.#primary || source === this.#standby;
  }

  /**
   * Do it unless it is under way, or was done less than so many seconds ago. Not finding a relay is no error, nor is
   * anything that was under way when the watch ended: its key is gone.
   */
  #once(what: string, seconds: number, act: () => Promise<void>): void {
    const now = monotonicSeconds();
    if (this.#underWay.has(what) || (this.#notBefore.get(what) ?? 0) > now) return;
    this.#notBefore.set(what, now + seconds);
    const done = act()
      .catch((error: unknown) => {
        if (this.#isClosed || error instanceof NoRelayError || error instanceof SourceError) return;
        throw error;
      })
      .finally(() => {
        this.#underWay.delete(what);
      });
    this.#underWay.set(what, done);
  }
}

function nodes(...sources: readonly (Source | null)[]): Hex[] {
  return sources.flatMap((each) => each?.tally.node ?? []);
}
