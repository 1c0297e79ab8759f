/**
 * Nobody gives the stream: said once until something arrives again, and only to somebody who waits for it. What is
 * over before the buffer is empty was never seen.
 */
export class Outage {
  readonly #say: (detail: string) => void;
  #detail: string | null = null;
  #isSaid = false;
  #isPlaying = false;

  constructor(say: (detail: string) => void) {
    this.#say = say;
  }

  began(detail: string): void {
    this.#detail ??= detail;
    this.#sayOnce();
  }

  over(): void {
    this.#detail = null;
    this.#isSaid = false;
  }

  /** Whether the picture moves now. */
  playing(isPlaying: boolean): void {
    this.#isPlaying = isPlaying;
    this.#sayOnce();
  }

  #sayOnce(): void {
    if (this.#detail === null || this.#isSaid || this.#isPlaying) return;
    this.#isSaid = true;
    this.#say(this.#detail);
  }
}
