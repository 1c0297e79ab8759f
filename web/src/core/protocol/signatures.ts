import { secp256k1 } from '@noble/curves/secp256k1.js';
import { type Bytes, type Hex, concat, toHex } from './bytes';
import { SignatureError } from './errors';
import { keccak } from './typed-data';

/** secp256k1 signatures of 65 bytes `r ‖ s ‖ v`, low-s only. Source: docs/protocol.md section 3. */

const HALF_ORDER = secp256k1.Point.Fn.ORDER >> 1n;
const FIRST_V = 27;

/** A throw-away key: one per watch, so that nobody can tell that two watches are one person's. */
export function newKey(): Bytes {
  return new Uint8Array(secp256k1.utils.randomSecretKey());
}

export function addressOf(key: Uint8Array): Hex {
  return address(secp256k1.Point.fromBytes(secp256k1.getPublicKey(key, true)));
}

/** Signs a 32-byte digest deterministically (RFC 6979). */
export function sign(digest: Uint8Array, key: Uint8Array): Bytes {
  const [v, ...rest] = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' });
  return concat(new Uint8Array(rest), new Uint8Array([FIRST_V + (v ?? 0)]));
}

/** The address that signed `digest`; throws SignatureError for anything but a canonical signature. */
export function recover(digest: Uint8Array, signature: Uint8Array): Hex {
  const v = signature[64] ?? 0;
  if (signature.length !== 65 || (v !== FIRST_V && v !== FIRST_V + 1)) {
    throw new SignatureError('a signature has 65 bytes, of which the last is 27 or 28');
  }
  if (BigInt(toHex(signature.subarray(32, 64))) > HALF_ORDER) {
    throw new SignatureError('signature has a high s');
  }
  try {
    const compact = signature.subarray(0, 64);
    const parsed = secp256k1.Signature.fromBytes(compact, 'compact').addRecoveryBit(v - FIRST_V);
    return address(parsed.recoverPublicKey(digest));
  } catch {
    throw new SignatureError('signature does not recover to any key');
  }
}

function address(point: { toBytes(isCompressed: boolean): Uint8Array }): Hex {
  return toHex(keccak(point.toBytes(false).subarray(1)).subarray(12));
}
