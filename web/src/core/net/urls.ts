import { MalformedError, printable } from '../protocol/errors';

/** A server's URL without trailing slash; throws MalformedError unless it is `http(s)://host[:port][/path]`. */
export function baseUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw wrong(text);
  }
  const isPlain = url.username === '' && url.password === '' && url.search + url.hash === '';
  if (!isPlain || !['http:', 'https:'].includes(url.protocol)) throw wrong(text);
  return url.href.replace(/\/+$/, '');
}

function wrong(text: string): MalformedError {
  return new MalformedError(
    `a server's URL is like https://host:8100, without user, query or fragment, got ${printable(text)}`,
  );
}
