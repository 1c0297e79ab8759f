/** The chain's immutable epoch grid, in Unix seconds. Source: docs/protocol.md section 2. */
export class EpochClock {
  readonly #genesis: bigint;
  readonly #epochSeconds: bigint;

  constructor(grid: { readonly genesis: bigint; readonly epochSeconds: bigint }) {
    this.#genesis = grid.genesis;
    this.#epochSeconds = grid.epochSeconds;
  }

  /** The first second after `epoch`. */
  end(epoch: bigint): bigint {
    return this.#genesis + (epoch + 1n) * this.#epochSeconds;
  }
}
