import { monotonicSeconds } from '../clock';
import type { Engine } from '../crypto/engine';
import type { Coordinator } from '../net/coordinator';
import { exchange, json } from '../net/http';
import { baseUrl } from '../net/urls';
import {
  type Admission as Admitted,
  type Config,
  type Pool,
  readOpened,
  ticketJson,
} from '../net/wire';
import type { Hex } from '../protocol/bytes';
import { stringifyExact } from '../protocol/exact-json';
import { Account } from '../session/account';
import { CoordinatorTime } from '../session/coordinator-time';
import { EpochClock } from '../session/epoch-clock';
import { Receipts } from '../session/receipts';
import { renewAt } from '../session/renewal';
import type { LeaveReason } from '../types';
import {
  NoRelayError,
  SessionOverError,
  SourceError,
  isFinal,
  mayBeTheOrigins,
  meaning,
} from './faults';
import { Source } from './source';
import type { Tally } from './tally';

const FIRST_EXCLUSION_SECONDS = 5;
/** A relay that fails again and again is avoided for twice as long each time, up to this. */
const LAST_EXCLUSION_SECONDS = 80;
/** A relay that drains says when it is back, but only to those who ask: the others leave it alone for a while. */
const DRAINING_SECONDS = 60;
/** Of the coordinator's API. */
const MAX_EXCLUDED = 64;
const MAX_ANSWER_BYTES = 64 * 1024;
const SILENCE_SECONDS = 3;

export interface AdmissionOptions {
  readonly coordinator: Coordinator;
  readonly config: Config;
  readonly pool: Pool;
  readonly engine: Engine;
  /** `config` was read at this monotonic second. */
  readonly readAt: number;
  readonly tallyOf: (node: Hex | null, endpoint: string) => Tally;
  readonly onReceiptFault: (source: Source, error: Error) => void;
  /** Aborted: no relay is spoken to any more. */
  readonly signal: AbortSignal;
}

/** Asks the coordinator for tickets and opens sessions with them; knows whom to avoid. */
export class Admission {
  tickets = 0;
  readonly #options: AdmissionOptions;
  readonly #clock: EpochClock;
  readonly #time: CoordinatorTime;
  readonly #avoided = new Map<Hex, { failures: number; until: number }>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#clock = new EpochClock(options.config);
    this.#time = new CoordinatorTime(options.config.time, options.readAt);
  }

  /** Whether the source's next ticket should be asked for. */
  isRenewalDue(source: Source): boolean {
    const { session } = source;
    if (session === null) return false;
    return this.#time.at(monotonicSeconds()) >= renewAt(session.account.ticket, this.#clock);
  }

  /** Do not go back to a relay for a while; never, if it served wrong bytes. */
  avoid(node: Hex, reason: LeaveReason): void {
    const avoided = this.#avoided.get(node) ?? { failures: 0, until: 0 };
    const seconds =
      reason === 'draining'
        ? DRAINING_SECONDS
        : Math.min(FIRST_EXCLUSION_SECONDS * 2 ** avoided.failures, LAST_EXCLUSION_SECONDS);
    if (!mayBeTheOrigins(reason)) avoided.failures += 1;
    const until = isFinal(reason) ? Number.POSITIVE_INFINITY : monotonicSeconds() + seconds;
    avoided.until = Math.max(avoided.until, until);
    this.#avoided.set(node, avoided);
  }

  isAvoided(node: Hex): boolean {
    return (this.#avoided.get(node)?.until ?? 0) > monotonicSeconds();
  }

  /**
   * A relay with an open session, other than `others` and those avoided.
   *
   * Throws NoRelayError, SourceError of a relay that is avoided from then on, or the signal's reason.
   */
  async find(others: readonly Hex[]): Promise<Source> {
    const admitted = await this.#admit(others);
    this.#options.signal.throwIfAborted();
    const { node } = admitted.ticket;
    const tally = this.#options.tallyOf(node, admitted.endpoint);
    try {
      return await this.#open(admitted, tally);
    } catch (error) {
      const fault = joinFault(error);
      this.avoid(node, fault.reason);
      if (tally.role === 'left') tally.leftBecause = fault.reason;
      throw fault;
    }
  }

  /** The origin itself: slower for all if everybody did this, and nobody is paid. Throws MalformedError. */
  origin(): Source {
    const { engine, pool, tallyOf } = this.#options;
    const tally = tallyOf(null, baseUrl(pool.originUrl));
    return new Source({ tally, poolId: Number(pool.poolId), engine, session: null });
  }

  async #admit(others: readonly Hex[]): Promise<Admitted> {
    const { coordinator, pool, engine } = this.#options;
    const excluded = [...others, ...this.#avoidedNow()].slice(0, MAX_EXCLUDED);
    let admitted: Admitted;
    try {
      admitted = await coordinator.admit(Number(pool.poolId), engine.viewer, excluded);
    } catch (error) {
      throw new NoRelayError(error instanceof Error ? error.message : String(error));
    }
    const { ticket } = admitted;
    if (excluded.includes(ticket.node)) {
      throw new NoRelayError('the coordinator offers only relays that this viewer avoids');
    }
    if (ticket.poolId !== pool.poolId || ticket.viewer !== engine.viewer) {
      throw new NoRelayError("the coordinator's ticket is for another pool or viewer");
    }
    this.#time.observe(ticket.issuedAt, monotonicSeconds());
    this.tickets += 1;
    return admitted;
  }

  /** The ones avoided longest are the worst. */
  #avoidedNow(): Hex[] {
    const now = monotonicSeconds();
    return [...this.#avoided]
      .filter(([, avoided]) => avoided.until > now)
      .sort(([, one], [, other]) => other.until - one.until)
      .map(([node]) => node);
  }

  async #open(admitted: Admitted, tally: Tally): Promise<Source> {
    const { config, engine, pool, onReceiptFault } = this.#options;
    const { ticket, signature } = admitted;
    tally.endpoint = baseUrl(admitted.endpoint);
    const sessionId = await engine.sessionId(ticket);
    const answer = await exchange(
      `${tally.endpoint}/v1/sessions`,
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: stringifyExact({ ticket: ticketJson(ticket), signature }),
      },
      {
        maxBytes: MAX_ANSWER_BYTES,
        silenceSeconds: SILENCE_SECONDS,
        maxSeconds: 2 * SILENCE_SECONDS,
      },
    );
    const opened = readOpened(json(answer));
    if (opened.sessionId !== sessionId) {
      throw new SourceError('refused', 'the relay opened another session than ours');
    }
    const account = new Account(ticket, sessionId);
    const receipts = new Receipts({
      endpoint: tally.endpoint,
      account,
      engine,
      time: this.#time,
      onAccepted: () => {
        tally.receipts += 1;
      },
      onFault: (error) => {
        onReceiptFault(source, error);
      },
    });
    const session = {
      account,
      receipts,
      creditBytes: opened.creditBytes,
      rate: {
        maxBytesPerSecond: pool.maxBytesPerSecond,
        slackSeconds: config.rateSlackSeconds,
      },
      time: this.#time,
    };
    const source = new Source({ tally, poolId: Number(pool.poolId), engine, session });
    return source;
  }
}

/** Why the relay cannot be joined; what is no fault of its own is thrown. */
function joinFault(error: unknown): SourceError {
  const fault = meaning(error, 'refused');
  if (fault instanceof SourceError) return fault;
  if (fault instanceof SessionOverError) return new SourceError('refused', fault.message);
  throw fault;
}
