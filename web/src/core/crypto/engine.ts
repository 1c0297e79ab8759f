import type { MediaPlaylist } from '../playlist/media';
import type { MultivariantPlaylist } from '../playlist/multivariant';
import type { MediaObject } from '../playlist/objects';
import type { Stream } from '../playlist/signed-text';
import type { Bytes, Hex } from '../protocol/bytes';
import { MalformedError, SignatureError } from '../protocol/errors';
import type { Receipt, SessionTicket } from '../protocol/typed-data';
import type { CpuStats } from '../types';
import { type Arguments, CPU_OF, type JobName, type Outcome, type Result } from './jobs';

type Perform = <Name extends JobName>(job: Name, ...args: Arguments<Name>) => Promise<Result<Name>>;

/** Hashes, verifies and signs for one watch, wherever that happens, and counts what it costs. */
export class Engine {
  readonly viewer: Hex;
  readonly #perform: Perform;
  readonly #cpu: { -readonly [Name in keyof CpuStats]: number };
  readonly #stop: () => void;

  constructor(viewer: Hex, perform: Perform, cpu: CpuStats, stop: () => void) {
    this.viewer = viewer;
    this.#perform = perform;
    this.#cpu = cpu;
    this.#stop = stop;
  }

  get cpu(): CpuStats {
    return { ...this.#cpu };
  }

  /** The very bytes that the origin vouched for, or null. The caller gives up `data`. */
  async verified(data: Bytes, object: MediaObject): Promise<Bytes | null> {
    if (data.length !== object.lengthBytes) return null;
    const hashed = await this.#perform('hash', data);
    return hashed.sha256 === object.sha256 ? hashed.data : null;
  }

  readMedia(data: Bytes, rendition: string): Promise<MediaPlaylist> {
    return this.#perform('readMedia', data, rendition);
  }

  readMultivariant(data: Bytes): Promise<MultivariantPlaylist> {
    return this.#perform('readMultivariant', data);
  }

  sessionId(ticket: SessionTicket): Promise<Hex> {
    return this.#perform('sessionId', ticket);
  }

  signReceipt(receipt: Receipt): Promise<Hex> {
    return this.#perform('signReceipt', receipt);
  }

  /** Let the key and the worker go. */
  close(): void {
    this.#stop();
  }
}

/** In a worker, or on this thread where the page allows none. */
export async function openEngine(stream: Stream, createWorker: () => Worker): Promise<Engine> {
  const cpu = { hashMillis: 0, signMillis: 0, verifyMillis: 0 };
  const count = (job: JobName, millis: number) => {
    cpu[CPU_OF[job]] += millis;
  };
  try {
    const { perform, stop } = hire(createWorker(), count);
    const viewer = await perform('begin', stream).catch((error: unknown) => {
      stop();
      throw error;
    });
    return new Engine(viewer, perform, cpu, stop);
  } catch {
    const perform = await onThisThread(count);
    return new Engine(await perform('begin', stream), perform, cpu, () => undefined);
  }
}

type Count = (job: JobName, millis: number) => void;

async function onThisThread(count: Count): Promise<Perform> {
  // Loaded only where it is needed: the worker brings its own.
  const { Cryptographer } = await import('./cryptographer');
  const jobs = new Cryptographer() as unknown as Record<JobName, (...args: unknown[]) => unknown>;
  return async (job, ...args) => {
    const began = performance.now();
    try {
      return (await jobs[job](...args)) as Result<typeof job>;
    } finally {
      count(job, performance.now() - began);
    }
  };
}

interface Pending {
  readonly job: JobName;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Throws through the first job if the page's policy forbids the worker. */
function hire(worker: Worker, count: Count): { perform: Perform; stop: () => void } {
  const pending = new Map<number, Pending>();
  let last = 0;
  let fault: Error | null = null;
  const stop = (error: Error) => {
    fault = error;
    worker.terminate();
    for (const each of pending.values()) each.reject(error);
    pending.clear();
  };
  worker.onmessage = (event: MessageEvent<Outcome>) => {
    const outcome = event.data;
    const waiting = pending.get(outcome.id);
    if (waiting === undefined) return;
    pending.delete(outcome.id);
    count(waiting.job, outcome.millis);
    if ('error' in outcome) waiting.reject(revived(outcome.error));
    else waiting.resolve(outcome.value);
  };
  worker.onerror = () => {
    stop(new Error('the worker failed'));
  };
  const perform: Perform = (job, ...args) =>
    new Promise((resolve, reject) => {
      if (fault !== null) {
        reject(fault);
        return;
      }
      last += 1;
      pending.set(last, { job, resolve: resolve, reject });
      const transfer = args.flatMap((each) => (each instanceof Uint8Array ? [each.buffer] : []));
      worker.postMessage({ id: last, job, args }, transfer);
    });
  return {
    perform,
    stop: () => {
      stop(new Error('the watch is over'));
    },
  };
}

function revived(error: { readonly name: string; readonly message: string }): Error {
  switch (error.name) {
    case 'SignatureError':
      return new SignatureError(error.message);
    case 'MalformedError':
      return new MalformedError(error.message);
    default:
      return new Error(error.message);
  }
}
