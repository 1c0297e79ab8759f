/** What numbers, reasons and errors are called to a person. Pure. */
import type {
  Consent,
  LeaveReason,
  PlayerErrorCode,
  PlayerState,
  SourceStats,
} from '../core/types';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Three digits and a decimal unit: 1 kB is 1000 bytes, as it is paid. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  // 999.5 would be rounded to a fourth digit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? 'TB'}`;
}

/** A share in whole per cent; what is little but not nothing is not 0 %, and what is not all is not 100 %. */
export function share(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return '0 %';
  const percent = (100 * part) / whole;
  if (percent < 1) return '< 1 %';
  return `${part < whole ? Math.min(Math.round(percent), 99) : 100} %`;
}

/** `1:05`, or `1:01:05` from an hour on. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** For a screen reader: `1 minute 5 seconds behind live`. */
export function behindLive(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 1) return 'live';
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  const parts = [count(minutes, 'minute'), count(rest, 'second')];
  return `${parts.filter((part) => !part.startsWith('0 ')).join(' ')} behind live`;
}

export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}

export function shortAddress(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`;
}

/** The host of a relay's or origin's URL; what is no URL is shown as it is. */
export function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;
}

export const ROLES: Readonly<Record<SourceStats['role'], string>> = {
  primary: 'carrying now',
  standby: 'standing by',
  origin: 'carrying now',
  left: 'left',
};

export const LEFT_BECAUSE: Readonly<Record<LeaveReason, string>> = {
  'corrupt-object': 'It sent bytes that the streamer did not sign. They were thrown away, unpaid.',
  'bad-playlist': 'It sent a playlist that the streamer did not sign.',
  'stale-playlist': 'It fell behind the live stream.',
  'missing-object': 'It did not have what the playlist promised.',
  late: 'It was too slow.',
  unreachable: 'It stopped answering.',
  refused: 'It turned this player away.',
  'origin-failed': 'It could not reach the origin.',
  'receipt-refused': 'It did not accept a receipt.',
  unpaid: 'It asked for a receipt that it already had.',
  draining: 'It is shutting down and said so in time.',
  moved: 'The next ticket was for another relay.',
  'relay-found': 'A relay took over.',
  stopped: 'You stopped watching.',
};

export const ERROR_TITLES: Readonly<Record<PlayerErrorCode, string>> = {
  unsupported: 'This browser cannot play it',
  coordinator: 'The coordinator does not answer',
  'pool-unknown': 'There is no such stream',
  offline: 'Nothing to play yet',
  media: 'This device cannot decode the stream',
};

/** What is announced when a state begins; the empty text is for those that speak for themselves. */
export const STATES: Readonly<Record<PlayerState, string>> = {
  idle: '',
  consent: '',
  loading: 'Loading the stream',
  playing: 'Playing',
  stalled: 'Waiting for the stream',
  ended: 'The stream has ended',
  error: '',
};

export const CHOICES: Readonly<Record<Consent, string>> = {
  relays:
    'You watch through relays. They see your IP address and get receipts from a throw-away key.',
  origin:
    'You watch straight from the origin. No relay sees you, no receipt is signed, nobody is paid.',
};

/** One sentence on who carried what was watched. */
export function summary(sources: readonly SourceStats[]): string {
  const total = sources.reduce((sum, source) => sum + source.bytesDelivered, 0);
  if (total === 0) return 'Nothing has arrived yet.';
  const relays = sources.filter((source) => source.node !== null && source.bytesDelivered > 0);
  const carried = relays.reduce((sum, source) => sum + source.bytesDelivered, 0);
  if (relays.length === 0) return `The origin itself sent all ${bytes(total)}.`;
  const verb = relays.length === 1 ? 'has' : 'have';
  const rest = carried < total ? '; the origin sent the rest' : '';
  return `${count(relays.length, 'relay')} ${verb} carried ${share(carried, total)} of ${bytes(total)}${rest}.`;
}
