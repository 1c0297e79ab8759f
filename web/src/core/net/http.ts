import type { Bytes } from '../protocol/bytes';
import { MalformedError } from '../protocol/errors';
import { type Json, parseExact } from '../protocol/exact-json';

/** One exchange with a server: bounded in size, by silence and by time, and stopped by a signal. */

export interface Bounds {
  /** A longer body is refused before the rest is read. */
  readonly maxBytes: number;
  /** No byte for so long, and the server counts as unreachable. */
  readonly silenceSeconds: number;
  /** For all of it. */
  readonly maxSeconds: number;
  readonly signal?: AbortSignal | undefined;
  /** Told as the body comes in. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Times are those of `performance.now()`. */
export interface Progress {
  readonly loadedBytes: number;
  readonly firstByteAtMillis: number;
}

export interface Answer {
  readonly body: Bytes;
  readonly headers: Headers;
  readonly firstByteAtMillis: number;
}

/** No whole answer came: the server is down, the network is, or it is too slow. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** The server refused: HTTP status, the problem's slug (RFC 9457) and its text. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly slug: string;

  constructor(status: number, slug: string, detail: string) {
    super(`${detail} (${slug}, HTTP ${status})`);
    this.status = status;
    this.slug = slug;
  }
}

/** The answer is longer than it may be. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';
}

/** The caller's own signal stopped it. */
export class AbortedError extends Error {
  override readonly name = 'AbortedError';
}

const MAX_PROBLEM_BYTES = 64 * 1024;
const PROBLEM_PREFIX = 'urn:streamrp2p:problem:';

/** Throws UnreachableError, RefusedError, TooLongError, or AbortedError. */
export async function exchange(url: string, init: RequestInit, bounds: Bounds): Promise<Answer> {
  const watch = new Watch(bounds);
  let isWhole = false;
  try {
    const response = await fetch(url, {
      cache: 'no-store',
      ...init,
      signal: watch.signal,
      mode: 'cors',
      credentials: 'omit',
      // A redirect could lead requests, and the session they name, to another host.
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    });
    watch.heard();
    if (!response.ok) throw await refusal(response, watch);
    const body = await read(response, bounds.maxBytes, watch, bounds.onProgress);
    isWhole = true;
    return { body, headers: response.headers, firstByteAtMillis: watch.firstByteAtMillis };
  } catch (error) {
    if (bounds.signal?.aborted === true) throw new AbortedError('stopped');
    if (error instanceof RefusedError || error instanceof TooLongError) throw error;
    throw new UnreachableError(watch.reason ?? `no answer: ${String(error)}`);
  } finally {
    watch.end(isWhole);
  }
}

/** The JSON of an answer; throws MalformedError. */
export function json(answer: Answer): Json {
  return parseExact(text(answer.body));
}

function text(data: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch {
    throw new MalformedError('the answer is not UTF-8');
  }
}

/** Aborts a request that takes too long, is silent for too long, or is not wanted any more. */
class Watch {
  reason: string | null = null;
  firstByteAtMillis = 0;
  readonly #controller = new AbortController();
  readonly #bounds: Bounds;
  readonly #whole: ReturnType<typeof setTimeout>;
  #silence: ReturnType<typeof setTimeout>;
  readonly #onAbort = () => {
    this.#controller.abort();
  };

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    if (bounds.signal?.aborted === true) this.#controller.abort();
    bounds.signal?.addEventListener('abort', this.#onAbort);
    this.#whole = setTimeout(() => {
      this.#stop('the answer takes too long');
    }, bounds.maxSeconds * 1000);
    this.#silence = this.#listen();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    if (this.firstByteAtMillis === 0) this.firstByteAtMillis = performance.now();
    clearTimeout(this.#silence);
    this.#silence = this.#listen();
  }

  /** An answer that was read whole leaves its connection for the next request; what was not read is not wanted. */
  end(isWhole: boolean): void {
    clearTimeout(this.#whole);
    clearTimeout(this.#silence);
    this.#bounds.signal?.removeEventListener('abort', this.#onAbort);
    if (!isWhole) this.#controller.abort();
  }

  #listen(): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#stop('the server is silent');
    }, this.#bounds.silenceSeconds * 1000);
  }

  #stop(reason: string): void {
    this.reason = reason;
    this.#controller.abort();
  }
}

async function read(
  response: Response,
  maxBytes: number,
  watch: Watch,
  onProgress?: (progress: Progress) => void,
): Promise<Bytes> {
  const chunks: Uint8Array[] = [];
  let loadedBytes = 0;
  const reader = response.body?.getReader();
  if (reader !== undefined) {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      watch.heard();
      loadedBytes += next.value.length;
      if (loadedBytes > maxBytes) {
        throw new TooLongError(`the answer is longer than ${maxBytes} bytes`);
      }
      chunks.push(next.value);
      onProgress?.({ loadedBytes, firstByteAtMillis: watch.firstByteAtMillis });
    }
  }
  const body = new Uint8Array(loadedBytes);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

async function refusal(response: Response, watch: Watch): Promise<RefusedError> {
  const unexplained = new RefusedError(
    response.status,
    `http-${response.status}`,
    'no explanation was given',
  );
  let body: Bytes;
  try {
    body = await read(response, MAX_PROBLEM_BYTES, watch);
  } catch (error) {
    if (error instanceof TooLongError) return unexplained;
    throw error;
  }
  try {
    const problem = parseExact(text(body)) as Readonly<Record<string, Json>> | null;
    const { type, detail } = problem ?? {};
    if (typeof type !== 'string' || typeof detail !== 'string') return unexplained;
    const slug = type.startsWith(PROBLEM_PREFIX) ? type.slice(PROBLEM_PREFIX.length) : type;
    return new RefusedError(response.status, slug, detail);
  } catch {
    return unexplained;
  }
}
