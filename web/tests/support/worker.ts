import { Cryptographer } from '../../src/core/crypto/cryptographer';
import type { Order, Outcome } from '../../src/core/crypto/jobs';

/** A worker on this thread: answers in its own time, and never once it was terminated. */
export class FakeWorker {
  onmessage: ((event: MessageEvent<Outcome>) => void) | null = null;
  onerror: (() => void) | null = null;
  isTerminated = false;
  readonly #cryptographer = new Cryptographer();

  postMessage(order: Order): void {
    const jobs = this.#cryptographer as unknown as Record<
      string,
      (...args: unknown[]) => Promise<unknown>
    >;
    void jobs[order.job]?.(...order.args).then((value) => {
      const data = { id: order.id, millis: 1, value };
      if (!this.isTerminated) this.onmessage?.({ data } as MessageEvent<Outcome>);
    });
  }

  terminate(): void {
    this.isTerminated = true;
  }
}
