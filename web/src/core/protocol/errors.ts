/** What came from elsewhere does not have the form that the protocol gives it. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

/** A signature is missing, is not canonical, or is another key's. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
}

/** Text of others for an error's message: short, and without what could disturb a terminal or a page. */
export function printable(text: string): string {
  const shown = text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
  return JSON.stringify(shown);
}
