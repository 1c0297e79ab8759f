import { AbortedError } from '../net/http';
import type { Fleet } from './fleet';
import { GoneError, SessionOverError, SourceError } from './faults';
import type { Source } from './source';

/** More than this for one object, and something is wrong that asking again does not mend. */
const MAX_ATTEMPTS = 8;
const MAX_MISSING = 2;
/** So many times in a row late, and the relay is left. */
export const MAX_LATE = 3;

export interface RaceOptions<T> {
  readonly fleet: Fleet;
  /** After so long the helper is asked as well. */
  readonly hedgeSeconds: number;
  readonly signal: AbortSignal;
  /** Throws SourceError, SessionOverError, GoneError or AbortedError. */
  readonly attempt: (source: Source, signal: AbortSignal) => Promise<T>;
}

interface Runner {
  readonly controller: AbortController;
  readonly beganAt: number;
}

/**
 * Gets one thing from whichever source has it first: from the best one alone while all is well, at once from the next when
 * it fails, and from a helper as well when it takes too long.
 *
 * Rejects with GoneError when nobody has it, SourceError when nobody answers, AbortedError.
 */
export function race<T>(options: RaceOptions<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    new Race(options, resolve, reject).begin();
  });
}

class Race<T> {
  readonly #options: RaceOptions<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #running = new Map<Source, Runner>();
  readonly #tried = new Set<Source>();
  readonly #gone = new Set<Source>();
  #hedge: ReturnType<typeof setTimeout> | null = null;
  #lastError: unknown = new SourceError('unreachable', 'there is no source');
  #isOver = false;
  readonly #onAbort = () => {
    this.#end();
    this.#reject(new AbortedError('stopped'));
  };

  constructor(
    options: RaceOptions<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    const { signal, hedgeSeconds } = this.#options;
    if (signal.aborted) {
      this.#onAbort();
      return;
    }
    signal.addEventListener('abort', this.#onAbort);
    this.#next();
    this.#hedge = setTimeout(() => {
      const helper = this.#options.fleet.helper();
      if (helper !== null && !this.#tried.has(helper)) this.#launch(helper);
    }, hedgeSeconds * 1000);
  }

  #launch(source: Source): void {
    const controller = new AbortController();
    this.#tried.add(source);
    this.#running.set(source, { controller, beganAt: performance.now() });
    this.#options.attempt(source, controller.signal).then(
      (value) => {
        this.#won(source, value);
      },
      (error: unknown) => {
        this.#running.delete(source);
        if (!this.#isOver) this.#failed(source, error);
      },
    );
  }

  /** Ask the best source that was not asked yet; without any, wait for those that run. */
  #next(): void {
    const untried = this.#options.fleet.candidates().find((each) => !this.#tried.has(each));
    if (untried !== undefined && this.#tried.size < MAX_ATTEMPTS) {
      this.#launch(untried);
    } else if (this.#running.size === 0) {
      this.#end();
      this.#reject(this.#lastError);
    }
  }

  #won(source: Source, value: T): void {
    const winner = this.#running.get(source);
    this.#running.delete(source);
    if (this.#isOver || winner === undefined) return;
    const { fleet } = this.#options;
    const took = performance.now() - winner.beganAt;
    for (const [slower, { beganAt }] of this.#running) {
      // Who was asked long before and has nothing yet is late; where all had to wait, nobody is.
      const hadMore = winner.beganAt - beganAt;
      if (hadMore <= 0 || took >= hadMore) continue;
      slower.tally.late();
      fleet.prefer(source);
    }
    for (const each of [...this.#running.keys(), source]) {
      if (each.tally.lateInARow >= MAX_LATE) fleet.leave(each, 'late');
    }
    for (const each of this.#gone) {
      if (each.tally.missed() >= MAX_MISSING) fleet.leave(each, 'missing-object');
    }
    this.#end();
    this.#resolve(value);
  }

  #failed(source: Source, error: unknown): void {
    this.#lastError = error;
    if (error instanceof SessionOverError) {
      this.#options.fleet.renewNow(source).then(
        () => {
          if (!this.#isOver) this.#next();
        },
        (fault: unknown) => {
          this.#end();
          this.#reject(fault);
        },
      );
      return;
    }
    if (error instanceof SourceError) {
      this.#options.fleet.leave(source, error.reason);
    } else if (error instanceof GoneError) {
      this.#gone.add(source);
    } else {
      this.#end();
      this.#reject(error);
      return;
    }
    this.#next();
  }

  #end(): void {
    this.#isOver = true;
    if (this.#hedge !== null) clearTimeout(this.#hedge);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    for (const { controller } of this.#running.values()) controller.abort();
  }
}
