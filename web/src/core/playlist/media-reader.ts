import { MalformedError, printable } from '../protocol/errors';
import { Attributes, integer, micros } from './attributes';
import type { MediaPlaylist, Part, Segment, ServerControl } from './media';
import { isRendition } from './names';
import {
  MAP_TAG,
  type MediaObject,
  PART_TAG,
  SEGMENT_TAG,
  THUMBNAIL_TAG,
  isSame,
  readObject,
} from './objects';
import { type Stream, type Tag, tags, unseal } from './signed-text';

/** Reads a media playlist by the letter: what is not provided for here, no playlist may have. */

const RENDITION_TAG = '#EXT-X-STREAMRP2P-RENDITION';
const SKIP_TAG = '#EXT-X-SKIP';
const SERVER_CONTROL_TAG = '#EXT-X-SERVER-CONTROL';
const PART_INF_TAG = '#EXT-X-PART-INF';
const MEDIA_SEQUENCE_TAG = '#EXT-X-MEDIA-SEQUENCE';
const DISCONTINUITY_SEQUENCE_TAG = '#EXT-X-DISCONTINUITY-SEQUENCE';
const TARGET_TAG = '#EXT-X-TARGETDURATION';
const VERSION_TAG = '#EXT-X-VERSION';
const INDEPENDENT_TAG = '#EXT-X-INDEPENDENT-SEGMENTS';

/** Each stands at most once, before all that is listed: other players count from where they find it. */
const HEADER_TAGS = new Set([
  VERSION_TAG,
  INDEPENDENT_TAG,
  TARGET_TAG,
  MEDIA_SEQUENCE_TAG,
  DISCONTINUITY_SEQUENCE_TAG,
  SERVER_CONTROL_TAG,
  PART_INF_TAG,
  RENDITION_TAG,
  SKIP_TAG,
]);
/** Each vouching tag, and how the line directly after it begins. */
const VOUCHED = new Map([
  [MAP_TAG, '#EXT-X-MAP:'],
  [PART_TAG, '#EXT-X-PART:'],
  [SEGMENT_TAG, '#EXTINF:'],
]);
const DATE_TIME =
  /^[0-9]{4}(?:-[0-9]{2}){2}T[0-9]{2}(?::[0-9]{2}){2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:?[0-9]{2})$/;

type Header = ReadonlyMap<string, string | null>;

/**
 * Checks the origin's signature and reads the playlist of that rendition, a full one or a delta update.
 *
 * Throws SignatureError or MalformedError.
 */
export function verifyMediaPlaylist(
  data: Uint8Array,
  rendition: string,
  stream: Stream,
): MediaPlaylist {
  const { lines, publishedAt } = unseal(data, stream);
  const header = new Map<string, string | null>();
  let body: Body | null = null;
  for (const tag of tags(lines)) {
    if (!HEADER_TAGS.has(tag.name)) {
      body ??= new Body(firstListed(header));
      body.read(tag);
    } else if (body !== null || header.has(tag.name)) {
      throw new MalformedError(`${tag.name} stands twice, or after the first segment`);
    } else {
      header.set(tag.name, tag.value);
    }
  }
  body ??= new Body(firstListed(header));
  return playlist(header, body, stream.poolId, rendition, publishedAt);
}

function playlist(
  header: Header,
  body: Body,
  poolId: number,
  rendition: string,
  publishedAt: number,
): MediaPlaylist {
  const found = header.get(RENDITION_TAG);
  if (found !== rendition || !isRendition(rendition)) {
    throw new MalformedError(
      `playlist is of rendition ${printable(String(found))}, not of ${printable(rendition)}`,
    );
  }
  let partTargetMicros: number | null = null;
  if (header.has(PART_INF_TAG)) {
    const value = header.get(PART_INF_TAG) ?? null;
    partTargetMicros = new Attributes(value, PART_INF_TAG, ['PART-TARGET']).micros('PART-TARGET');
  } else if (body.hasParts) {
    throw new MalformedError(`a playlist with parts must have ${PART_INF_TAG}`);
  }
  if (body.thumbnail !== null) {
    throw new MalformedError(`thumbnail ${body.thumbnail.name} stands before no segment`);
  }
  integerOr(header, VERSION_TAG, 1);
  if ((header.get(INDEPENDENT_TAG) ?? null) !== null) {
    throw new MalformedError(`${INDEPENDENT_TAG} has no value`);
  }
  return {
    poolId,
    rendition,
    mediaSequence: integer(header.get(MEDIA_SEQUENCE_TAG), MEDIA_SEQUENCE_TAG),
    discontinuitySequence: integerOr(header, DISCONTINUITY_SEQUENCE_TAG, 0),
    publishedAt,
    targetSeconds: integer(header.get(TARGET_TAG), TARGET_TAG),
    partTargetMicros,
    serverControl: serverControl(header),
    skippedSegments: skippedSegments(header),
    segments: body.segments,
    parts: body.parts,
    map: body.map,
    isEnded: body.isEnded,
  };
}

function integerOr(header: Header, tag: string, otherwise: number): number {
  return header.has(tag) ? integer(header.get(tag), tag) : otherwise;
}

function firstListed(header: Header): number {
  return integer(header.get(MEDIA_SEQUENCE_TAG), MEDIA_SEQUENCE_TAG) + skippedSegments(header);
}

function skippedSegments(header: Header): number {
  if (!header.has(SKIP_TAG)) return 0;
  const attributes = new Attributes(header.get(SKIP_TAG) ?? null, SKIP_TAG, ['SKIPPED-SEGMENTS']);
  const skipped = attributes.integer('SKIPPED-SEGMENTS');
  if (skipped === 0) throw new MalformedError(`${SKIP_TAG} must skip a segment at least`);
  return skipped;
}

function serverControl(header: Header): ServerControl {
  if (!header.has(SERVER_CONTROL_TAG)) {
    return {
      canBlockReload: false,
      canSkipUntilMicros: null,
      holdBackMicros: null,
      partHoldBackMicros: null,
    };
  }
  const attributes = new Attributes(header.get(SERVER_CONTROL_TAG) ?? null, SERVER_CONTROL_TAG, [
    'CAN-BLOCK-RELOAD',
    'CAN-SKIP-UNTIL',
    'HOLD-BACK',
    'PART-HOLD-BACK',
  ]);
  return {
    canBlockReload: attributes.isYes('CAN-BLOCK-RELOAD'),
    canSkipUntilMicros: attributes.optionalMicros('CAN-SKIP-UNTIL'),
    holdBackMicros: attributes.optionalMicros('HOLD-BACK'),
    partHoldBackMicros: attributes.optionalMicros('PART-HOLD-BACK'),
  };
}

/** What is listed, as far as it was read; `parts`, `thumbnail` and the discontinuity are of the segment to come. */
class Body {
  readonly segments: Segment[] = [];
  parts: Part[] = [];
  map: MediaObject | null = null;
  thumbnail: MediaObject | null = null;
  hasParts = false;
  isEnded = false;
  #nextSequence: number;
  #isDiscontinuity = false;
  #vouching: string | null = null;
  readonly #objects = new Map<string, MediaObject>();
  readonly #media = new Set<string>();

  constructor(firstListed: number) {
    this.#nextSequence = firstListed;
  }

  /** Takes the next tag. Throws MalformedError. */
  read(tag: Tag): void {
    const vouched = VOUCHED.get(tag.name);
    if (vouched !== undefined) {
      if (!tag.following.startsWith(vouched)) {
        throw new MalformedError(`${tag.name} is not directly before what it vouches for`);
      }
      this.#vouching = tag.value;
      return;
    }
    switch (tag.name) {
      case THUMBNAIL_TAG:
        this.#readThumbnail(tag);
        return;
      case '#EXT-X-MAP':
        this.#beginSegment(tag);
        this.map = this.#named(new Attributes(tag.value, tag.name, ['URI']).text('URI'));
        return;
      case '#EXT-X-PART':
        this.#readPart(tag);
        return;
      case '#EXTINF':
        this.#readSegment(tag);
        return;
      case '#EXT-X-DISCONTINUITY':
        if (tag.value !== null) break;
        this.#beginSegment(tag);
        this.#isDiscontinuity = true;
        return;
      case '#EXT-X-PROGRAM-DATE-TIME':
        if (!DATE_TIME.test(tag.value ?? '')) break;
        this.#beginSegment(tag);
        return;
      case '#EXT-X-ENDLIST':
        if (tag.value !== null || this.isEnded) break;
        this.isEnded = true;
        return;
    }
    throw new MalformedError(
      `${printable(tag.name)} is wrong, or no tag that a media playlist may have`,
    );
  }

  #beginSegment(tag: Tag): void {
    if (this.parts.length > 0) {
      throw new MalformedError(`${tag.name} stands between the parts of one segment`);
    }
  }

  #readThumbnail(tag: Tag): void {
    if (this.thumbnail !== null) {
      throw new MalformedError('a segment has one thumbnail at most');
    }
    const value = tag.value ?? '';
    const comma = value.lastIndexOf(',');
    const uri = new Attributes(value.slice(comma + 1), tag.name, ['URI']).text('URI');
    this.#vouching = value.slice(0, Math.max(comma, 0));
    this.thumbnail = this.#named(uri);
  }

  #readPart(tag: Tag): void {
    const attributes = new Attributes(tag.value, tag.name, ['DURATION', 'URI', 'INDEPENDENT']);
    this.parts.push({
      object: this.#namedOnce(attributes.text('URI')),
      durationMicros: attributes.micros('DURATION'),
      isIndependent: attributes.isYes('INDEPENDENT'),
    });
    this.hasParts = true;
  }

  #readSegment(tag: Tag): void {
    const value = tag.value ?? '';
    const comma = value.indexOf(',');
    if (comma < 0) throw new MalformedError('#EXTINF must be a duration and a comma');
    const segment: Segment = {
      mediaSequence: this.#nextSequence,
      object: this.#namedOnce(tag.following),
      durationMicros: micros(value.slice(0, comma), '#EXTINF'),
      parts: this.parts,
      map: this.map,
      thumbnail: this.thumbnail,
      isDiscontinuity: this.#isDiscontinuity,
    };
    const partBytes = this.parts.reduce((sum, part) => sum + part.object.lengthBytes, 0);
    if (this.parts.length > 0 && partBytes !== segment.object.lengthBytes) {
      throw new MalformedError(`the parts of segment ${segment.object.name} are not all of it`);
    }
    this.segments.push(segment);
    this.#nextSequence += 1;
    this.parts = [];
    this.thumbnail = null;
    this.#isDiscontinuity = false;
  }

  #namedOnce(name: string): MediaObject {
    if (this.#media.has(name)) {
      throw new MalformedError(`playlist names segment or part ${printable(name)} twice`);
    }
    this.#media.add(name);
    return this.#named(name);
  }

  /** The object that the vouching tag just read is about. */
  #named(name: string): MediaObject {
    const found = readObject(this.#vouching, name);
    this.#vouching = null;
    const known = this.#objects.get(name);
    if (known !== undefined && !isSame(known, found)) {
      throw new MalformedError(`playlist names ${name} for two different objects`);
    }
    this.#objects.set(name, found);
    return found;
  }
}
