import type { MediaPlaylist } from '../playlist/media';
import type { MultivariantPlaylist } from '../playlist/multivariant';
import type { Stream } from '../playlist/signed-text';
import type { Bytes, Hex } from '../protocol/bytes';
import type { Receipt, SessionTicket } from '../protocol/typed-data';

/** Bytes come back with their hash: on the way to another thread they change hands. */
export interface Hashed {
  readonly sha256: string;
  readonly data: Bytes;
}

/** The work that is done off the main thread, by the one who holds the viewer's throw-away key. */
export interface Jobs {
  /** Make the key for one watch of this stream; returns its address. Comes before all other jobs. */
  begin(stream: Stream): Promise<Hex>;
  /** SHA-256, 64 lower-case hex digits. The caller gives up `data`. */
  hash(data: Bytes): Promise<Hashed>;
  /** Throws SignatureError or MalformedError. */
  readMedia(data: Bytes, rendition: string): Promise<MediaPlaylist>;
  /** Throws SignatureError or MalformedError. */
  readMultivariant(data: Bytes): Promise<MultivariantPlaylist>;
  /** The ticket's struct hash; throws MalformedError. */
  sessionId(ticket: SessionTicket): Promise<Hex>;
  signReceipt(receipt: Receipt): Promise<Hex>;
}

export type JobName = keyof Jobs;
export type Arguments<Name extends JobName> = Parameters<Jobs[Name]>;
export type Result<Name extends JobName> = Awaited<ReturnType<Jobs[Name]>>;

/** Which of `CpuStats` a job's time belongs to. */
export const CPU_OF: Readonly<Record<JobName, 'hashMillis' | 'signMillis' | 'verifyMillis'>> = {
  begin: 'signMillis',
  hash: 'hashMillis',
  readMedia: 'verifyMillis',
  readMultivariant: 'verifyMillis',
  sessionId: 'signMillis',
  signReceipt: 'signMillis',
};

/** To the worker: the job `id`. */
export type Order = {
  [Name in JobName]: { readonly id: number; readonly job: Name; readonly args: Arguments<Name> };
}[JobName];

/** From the worker: `millis` were spent on job `id`. */
export type Outcome = { readonly id: number; readonly millis: number } & (
  | { readonly value: unknown }
  | { readonly error: { readonly name: string; readonly message: string } }
);
