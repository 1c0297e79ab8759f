import { monotonicSeconds, pause } from './clock';
import { type Engine, openEngine } from './crypto/engine';
import { Coordinator } from './net/coordinator';
import { RefusedError } from './net/http';
import type { Config, Pool } from './net/wire';
import { Library } from './playlist/library';
import type { Hex } from './protocol/bytes';
import { Admission } from './sources/admission';
import type { Deadlines } from './sources/deadlines';
import { Downloader } from './sources/downloader';
import { Fleet } from './sources/fleet';
import { Freshness } from './sources/freshness';
import { meaning, SessionOverError, SourceError } from './sources/faults';
import { Tally } from './sources/tally';
import type { Consent, CpuStats, SourceStats } from './types';

/** How far a source's playlist may be behind the freshest. */
const STALE_SECONDS = 8;
const COORDINATOR_TRIES = 3;
const COORDINATOR_PAUSE_SECONDS = 1;
const NOT_FOUND = 404;

/** The coordinator knows no such pool. */
export class UnknownPoolError extends Error {
  override readonly name = 'UnknownPoolError';
}

/** The coordinator names another origin key than the page does. */
export class OtherOriginError extends Error {
  override readonly name = 'OtherOriginError';
}

export interface WatchOptions {
  readonly coordinatorUrl: string;
  readonly poolId: number;
  /** The origin key that the page expects; undefined: the coordinator's word is taken. */
  readonly originKey: string | undefined;
  readonly consent: Consent;
  readonly deadlines: Deadlines;
  readonly createWorker: () => Worker;
  readonly onSource: (stats: SourceStats) => void;
  readonly onRestart: () => void;
  /** Aborted: nobody is asked for anything more, and `begin` rejects. Once begun, a watch is ended by `end`. */
  readonly signal: AbortSignal;
}

/** One watch of one stream, without a screen: sources, receipts, and the bytes that the origin vouches for. */
export class Watch {
  readonly downloader: Downloader;
  readonly #engine: Engine;
  readonly #admission: Admission;
  readonly #fleet: Fleet;
  readonly #tallies: ReadonlyMap<Hex | null, Tally>;

  private constructor(parts: {
    readonly downloader: Downloader;
    readonly engine: Engine;
    readonly admission: Admission;
    readonly fleet: Fleet;
    readonly tallies: ReadonlyMap<Hex | null, Tally>;
  }) {
    this.downloader = parts.downloader;
    this.#engine = parts.engine;
    this.#admission = parts.admission;
    this.#fleet = parts.fleet;
    this.#tallies = parts.tallies;
  }

  /** Throws UnknownPoolError, OtherOriginError, the errors of `exchange` when the coordinator does not answer, or MalformedError. */
  static async begin(options: WatchOptions): Promise<Watch> {
    const coordinator = new Coordinator(options.coordinatorUrl);
    const { config, pool, readAt } = await introduced(coordinator, options.poolId, options.signal);
    if (options.originKey !== undefined && options.originKey !== pool.originKey) {
      throw new OtherOriginError(`the coordinator says that the origin's key is ${pool.originKey}`);
    }
    const domain = { chainId: config.chainId, epochBook: config.epochBook };
    const stream = { poolId: options.poolId, domain, origin: pool.originKey };
    const engine = await openEngine(stream, options.createWorker);
    try {
      return await Watch.#joined(options, { coordinator, config, pool, readAt, engine });
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  static async #joined(
    options: WatchOptions,
    {
      coordinator,
      config,
      pool,
      readAt,
      engine,
    }: Introduction & { readonly engine: Engine; readonly coordinator: Coordinator },
  ): Promise<Watch> {
    const tallies = new Map<Hex | null, Tally>();
    const admission = new Admission({
      coordinator,
      config,
      pool,
      engine,
      readAt,
      signal: options.signal,
      tallyOf: (node, endpoint) => {
        const tally = tallies.get(node) ?? new Tally(node, endpoint);
        tallies.set(node, tally);
        return tally;
      },
      onReceiptFault: (source, error) => {
        const fault = meaning(error, 'receipt-refused');
        if (fault instanceof SourceError) fleet.leave(source, fault.reason);
        else if (fault instanceof SessionOverError) void fleet.renewNow(source);
      },
    });
    const fleet: Fleet = new Fleet({
      admission,
      consent: options.consent,
      warm: (source) => downloader.warm(source),
      onChange: (tally) => {
        options.onSource(tally.stats());
      },
    });
    const downloader = new Downloader({
      fleet,
      engine,
      library: new Library(),
      freshness: new Freshness(STALE_SECONDS),
      deadlines: options.deadlines,
      onRestart: options.onRestart,
    });
    try {
      await fleet.start(options.signal);
    } catch (error) {
      await fleet.close();
      throw error;
    }
    return new Watch({ downloader, engine, admission, fleet, tallies });
  }

  get tickets(): number {
    return this.#admission.tickets;
  }

  get cpu(): CpuStats {
    return this.#engine.cpu;
  }

  /** In the order of their first use. */
  get sources(): SourceStats[] {
    return [...this.#tallies.values()].filter((each) => each.wasUsed).map((each) => each.stats());
  }

  /** The page goes away. */
  farewell(): void {
    this.#fleet.farewell();
  }

  /** Send the last receipts, then let go of everything. */
  async end(): Promise<void> {
    await this.#fleet.close();
    this.#engine.close();
  }
}

/** What the coordinator says at first; `config` was read at the monotonic second `readAt`. */
interface Introduction {
  readonly config: Config;
  readonly pool: Pool;
  readonly readAt: number;
}

async function introduced(
  coordinator: Coordinator,
  poolId: number,
  signal: AbortSignal,
): Promise<Introduction> {
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      const pool = await coordinator.pool(poolId);
      const config = await coordinator.config();
      return { config, pool, readAt: monotonicSeconds() };
    } catch (error) {
      if (error instanceof RefusedError && error.status === NOT_FOUND) {
        throw new UnknownPoolError(error.message);
      }
      if (tries === COORDINATOR_TRIES) throw error;
      await pause(tries * COORDINATOR_PAUSE_SECONDS, signal);
    }
  }
}
