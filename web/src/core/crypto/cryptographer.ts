import { sha256 } from '@noble/hashes/sha2.js';
import type { MediaPlaylist } from '../playlist/media';
import { verifyMediaPlaylist } from '../playlist/media-reader';
import { type MultivariantPlaylist, verifyMultivariantPlaylist } from '../playlist/multivariant';
import type { Stream } from '../playlist/signed-text';
import { type Bytes, type Hex, hexDigits, toHex } from '../protocol/bytes';
import { addressOf, newKey, sign } from '../protocol/signatures';
import { type Receipt, type SessionTicket, digest, structHash } from '../protocol/typed-data';
import type { Hashed, Jobs } from './jobs';

/** Does the jobs in whatever thread it lives. The key exists here alone, in memory, and is never stored. */
export class Cryptographer implements Jobs {
  #watch: { readonly stream: Stream; readonly key: Bytes } | null = null;

  begin(stream: Stream): Promise<Hex> {
    const key = newKey();
    this.#watch = { stream, key };
    return Promise.resolve(addressOf(key));
  }

  async hash(data: Bytes): Promise<Hashed> {
    return { sha256: hexDigits(await digestOf(data)), data };
  }

  async readMedia(data: Bytes, rendition: string): Promise<MediaPlaylist> {
    return Promise.resolve(verifyMediaPlaylist(data, rendition, this.#begun().stream));
  }

  async readMultivariant(data: Bytes): Promise<MultivariantPlaylist> {
    return Promise.resolve(verifyMultivariantPlaylist(data, this.#begun().stream));
  }

  async sessionId(ticket: SessionTicket): Promise<Hex> {
    return Promise.resolve(toHex(structHash('SessionTicket', ticket)));
  }

  async signReceipt(receipt: Receipt): Promise<Hex> {
    const { stream, key } = this.#begun();
    return Promise.resolve(toHex(sign(digest('Receipt', receipt, stream.domain), key)));
  }

  #begun(): { readonly stream: Stream; readonly key: Bytes } {
    if (this.#watch === null) throw new Error('no watch has begun');
    return this.#watch;
  }
}

async function digestOf(data: Bytes): Promise<Uint8Array> {
  // Pages without TLS have no SubtleCrypto, whatever the types say.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  return subtle === undefined ? sha256(data) : new Uint8Array(await subtle.digest('SHA-256', data));
}
