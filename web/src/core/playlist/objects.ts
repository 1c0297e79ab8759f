import { MalformedError, printable } from '../protocol/errors';
import { isObject } from './names';

/** A map, part, segment or thumbnail as the origin vouches for it. `sha256` is 64 lower-case hex digits. */
export interface MediaObject {
  readonly name: string;
  readonly lengthBytes: number;
  readonly sha256: string;
}

export const MAP_TAG = '#EXT-X-STREAMRP2P-MAP';
export const PART_TAG = '#EXT-X-STREAMRP2P-PART';
export const SEGMENT_TAG = '#EXT-X-STREAMRP2P-SEGMENT';
export const THUMBNAIL_TAG = '#EXT-X-STREAMRP2P-THUMBNAIL';

/** Eight seconds of 64 Mbit/s. */
export const MAX_OBJECT_BYTES = 64 * 1024 * 1024;

const VOUCHING = /^SHA256=([0-9a-f]{64}),BYTES=([1-9][0-9]{0,14})$/;

/** The object `name` that a vouching tag's value is about. Throws MalformedError. */
export function readObject(value: string | null, name: string): MediaObject {
  const match = VOUCHING.exec(value ?? '');
  if (match === null) {
    throw new MalformedError(`object ${printable(name)} lacks its hash or its length`);
  }
  if (!isObject(name)) {
    throw new MalformedError(`object ${printable(name)} does not have a plain name`);
  }
  const lengthBytes = Number(match[2]);
  if (lengthBytes > MAX_OBJECT_BYTES) {
    throw new MalformedError(
      `object ${name} has ${lengthBytes} bytes, at most ${MAX_OBJECT_BYTES} are read`,
    );
  }
  return { name, lengthBytes, sha256: match[1] ?? '' };
}

export function isSame(one: MediaObject, other: MediaObject): boolean {
  return (
    one.name === other.name && one.lengthBytes === other.lengthBytes && one.sha256 === other.sha256
  );
}
