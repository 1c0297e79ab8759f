/** The coordinator's clock, carried on by a monotonic one: a viewer's wall clock may be wrong or jump. */
export class CoordinatorTime {
  #leadSeconds: number;

  /** `time`: Unix seconds that the coordinator wrote just before `now`, in monotonic seconds. */
  constructor(time: bigint, now: number) {
    this.#leadSeconds = Number(time) - now;
  }

  observe(time: bigint, now: number): void {
    const lead = Number(time) - now;
    // Whole seconds, and some of them old when they arrive, say too little but never too much.
    const isJump = Math.abs(lead - this.#leadSeconds) > JUMP_SECONDS;
    this.#leadSeconds = isJump ? lead : Math.max(lead, this.#leadSeconds);
  }

  /** The coordinator's time at `now`, in whole Unix seconds that are not ahead of the true ones. */
  at(now: number): bigint {
    return BigInt(Math.floor(this.#leadSeconds + now));
  }
}

const JUMP_SECONDS = 2;
