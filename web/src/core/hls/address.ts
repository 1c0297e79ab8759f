import { MULTIVARIANT_NAME } from '../playlist/names';

/** hls.js knows no relays: it sees one folder at a host that cannot exist, and asks the downloader for what is there. */
const FOLDER = 'https://stream.invalid/';

export const MULTIVARIANT_URL = FOLDER + MULTIVARIANT_NAME;

export interface Address {
  readonly name: string;
  readonly query: URLSearchParams;
}

/** The file and the query that a URL means; null for a URL outside of the folder. */
export function addressOf(url: string): Address | null {
  if (!url.startsWith(FOLDER)) return null;
  const { pathname, searchParams } = new URL(url);
  return { name: pathname.slice(1), query: searchParams };
}
