import { monotonicSeconds } from '../clock';
import type { Engine } from '../crypto/engine';
import { RefusedError, exchange } from '../net/http';
import { stringifyExact } from '../protocol/exact-json';
import type { Account } from './account';
import type { CoordinatorTime } from './coordinator-time';

/** The protocol allows about one a second. */
const RECEIPT_SECONDS = 1;
const MAX_ANSWER_BYTES = 64 * 1024;
const SILENCE_SECONDS = 3;
const MAX_SILENT = 3;

interface Signed {
  readonly bytesDelivered: bigint;
  readonly body: string;
}

export interface ReceiptsOptions {
  readonly endpoint: string;
  readonly account: Account;
  readonly engine: Engine;
  readonly time: CoordinatorTime;
  /** A receipt was accepted. */
  readonly onAccepted: () => void;
  /** The relay refuses receipts, or is silent time after time. */
  readonly onFault: (error: Error) => void;
}

/**
 * Signs and sends one session's receipts: signed as soon as something was counted, so that the newest one is at hand
 * when the page goes away, and sent about every second.
 */
export class Receipts {
  readonly #options: ReceiptsOptions;
  #signed: Signed | null = null;
  #signing: Promise<void> | null = null;
  #sending: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #sentAt = Number.NEGATIVE_INFINITY;
  #covered = 0n;
  #silent = 0;
  #isClosed = false;

  constructor(options: ReceiptsOptions) {
    this.#options = options;
  }

  /** Bytes that an accepted receipt stands for. */
  get coveredBytes(): bigint {
    return this.#covered;
  }

  /** Something was counted: sign for it, and send that within a second. */
  counted(): void {
    this.#sign().catch(this.#options.onFault);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== null || this.#isClosed) return;
    const wait = Math.max(this.#sentAt + RECEIPT_SECONDS - monotonicSeconds(), 0);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.pay().then(() => {
        // Silence: the same once more, also when nothing else is fetched any more.
        if (this.#covered < this.#options.account.bytesDelivered) this.#schedule();
      }, this.#options.onFault);
    }, wait * 1000);
  }

  /** Resolves once all that was counted so far is paid for; rejects when the relay refuses. */
  async pay(): Promise<void> {
    while (this.#covered < this.#options.account.bytesDelivered) {
      await this.#sign();
      const before = this.#covered;
      await (this.#sending ??= this.#send().finally(() => {
        this.#sending = null;
      }));
      // Silence: the next one says the same, a second later.
      if (this.#covered === before) break;
    }
  }

  /** Send the newest receipt without waiting for anything: the page is going away. */
  leave(): void {
    const signed = this.#signed;
    if (signed === null || signed.bytesDelivered <= this.#covered) return;
    void fetch(this.#url, { ...request(signed), keepalive: true, credentials: 'omit' }).catch(
      () => undefined,
    );
  }

  /** Pay what is left, then send no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.pay().catch(() => undefined);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  get #url(): string {
    return `${this.#options.endpoint}/v1/receipts`;
  }

  async #sign(): Promise<void> {
    const { account, engine, time } = this.#options;
    // Several objects that are counted while one is signed share the next.
    while ((this.#signed?.bytesDelivered ?? 0n) < account.bytesDelivered) {
      this.#signing ??= (async () => {
        const receipt = account.next(time.at(monotonicSeconds()));
        const signature = await engine.signReceipt(receipt);
        this.#signed = {
          bytesDelivered: receipt.bytesDelivered,
          body: stringifyExact({ receipt: { ...receipt }, signature }),
        };
      })().finally(() => {
        this.#signing = null;
      });
      await this.#signing;
    }
  }

  async #send(): Promise<void> {
    const signed = this.#signed;
    if (signed === null) return;
    this.#sentAt = monotonicSeconds();
    try {
      await exchange(this.#url, request(signed), {
        maxBytes: MAX_ANSWER_BYTES,
        silenceSeconds: SILENCE_SECONDS,
        maxSeconds: 2 * SILENCE_SECONDS,
      });
    } catch (error) {
      // What is held already, or something newer, is paid as well.
      if (!(error instanceof RefusedError && error.slug === 'receipt-not-newer')) {
        this.#silent += 1;
        if (error instanceof RefusedError || this.#silent >= MAX_SILENT) throw error;
        return;
      }
    }
    this.#silent = 0;
    this.#covered = signed.bytesDelivered;
    this.#options.onAccepted();
  }
}

function request(signed: Signed): RequestInit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: signed.body,
    // No cache answers a POST; with `no-store` browsers would also forget that they may send it, and ask before each.
    cache: 'default',
  };
}
