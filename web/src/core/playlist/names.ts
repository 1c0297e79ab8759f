/** The names beside each other in a stream's folder. Source: docs/protocol.md section 10. */

export const MULTIVARIANT_NAME = 'live.m3u8';

const PLAYLIST_SUFFIX = '.m3u8';
const OBJECT = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const RENDITION = /^[a-z0-9]{1,16}$/;
const RESERVED = ['live', 'path'];

export function isRendition(text: string): boolean {
  return RENDITION.test(text) && !RESERVED.includes(text);
}

/** The rendition whose media playlist has this name, or null. */
export function renditionOf(name: string): string | null {
  if (!name.endsWith(PLAYLIST_SUFFIX)) return null;
  const rendition = name.slice(0, -PLAYLIST_SUFFIX.length);
  return isRendition(rendition) ? rendition : null;
}

export function isObject(text: string): boolean {
  return OBJECT.test(text) && text !== 'path' && !text.endsWith(PLAYLIST_SUFFIX);
}
