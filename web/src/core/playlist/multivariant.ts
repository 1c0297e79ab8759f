import { MalformedError, printable } from '../protocol/errors';
import { Attributes, integer } from './attributes';
import { renditionOf } from './names';
import { type Stream, type Tag, tags, unseal } from './signed-text';

/** One rendition. What the origin does not tell is null; `codecs` is a list by RFC 6381. */
export interface Variant {
  readonly rendition: string;
  readonly bandwidthBitsPerSecond: number;
  readonly averageBandwidthBitsPerSecond: number | null;
  readonly codecs: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly frameRateMillihertz: number | null;
}

/** A verified multivariant playlist, variants in the origin's order. `publishedAt` is in Unix seconds. */
export interface MultivariantPlaylist {
  readonly poolId: number;
  readonly publishedAt: number;
  readonly variants: readonly Variant[];
}

const MULTIVARIANT_TAG = '#EXT-X-STREAMRP2P-MULTIVARIANT';
const STREAM_TAG = '#EXT-X-STREAM-INF';
const PLAIN_TAGS = ['#EXT-X-INDEPENDENT-SEGMENTS', MULTIVARIANT_TAG];
const ATTRIBUTES = ['BANDWIDTH', 'AVERAGE-BANDWIDTH', 'CODECS', 'RESOLUTION', 'FRAME-RATE'];

/** Checks the origin's signature and reads the variants. Throws SignatureError or MalformedError. */
export function verifyMultivariantPlaylist(data: Uint8Array, stream: Stream): MultivariantPlaylist {
  const { lines, publishedAt } = unseal(data, stream);
  const seen = new Set<string>();
  const variants = new Map<string, Variant>();
  for (const tag of tags(lines)) {
    if (tag.name === STREAM_TAG) {
      const variant = readVariant(tag);
      if (variants.has(variant.rendition)) {
        throw new MalformedError(`playlist names rendition ${variant.rendition} twice`);
      }
      variants.set(variant.rendition, variant);
    } else if (seen.has(tag.name)) {
      throw new MalformedError(`${tag.name} stands twice`);
    } else if (tag.name === '#EXT-X-VERSION') {
      integer(tag.value, tag.name);
    } else if (!PLAIN_TAGS.includes(tag.name) || tag.value !== null) {
      throw new MalformedError(
        `${printable(tag.name)} is wrong, or no tag that a multivariant playlist may have`,
      );
    }
    seen.add(tag.name);
  }
  if (!seen.has(MULTIVARIANT_TAG) || variants.size === 0) {
    throw new MalformedError(
      `a multivariant playlist must have ${MULTIVARIANT_TAG} and a rendition at least`,
    );
  }
  return { poolId: stream.poolId, publishedAt, variants: [...variants.values()] };
}

function readVariant(tag: Tag): Variant {
  const attributes = new Attributes(tag.value, tag.name, ATTRIBUTES);
  const rendition = renditionOf(tag.following);
  if (rendition === null) {
    throw new MalformedError(
      `${printable(tag.following)} after ${STREAM_TAG} is no rendition's playlist`,
    );
  }
  const [width, height] = attributes.optionalResolution('RESOLUTION') ?? [null, null];
  const frameRateMicros = attributes.optionalMicros('FRAME-RATE');
  return {
    rendition,
    bandwidthBitsPerSecond: attributes.integer('BANDWIDTH'),
    averageBandwidthBitsPerSecond: attributes.optionalInteger('AVERAGE-BANDWIDTH'),
    codecs: attributes.optionalText('CODECS'),
    width,
    height,
    frameRateMillihertz: frameRateMicros === null ? null : Math.floor(frameRateMicros / 1000),
  };
}
