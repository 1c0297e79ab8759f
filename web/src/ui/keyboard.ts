/** Which key does what. Pure. */

export type Action =
  | { readonly kind: 'play' | 'mute' | 'fullscreen' | 'picture-in-picture' | 'live' | 'carriers' }
  | { readonly kind: 'seek'; readonly seconds: number }
  | { readonly kind: 'volume'; readonly change: number };

const SEEK_SECONDS = 5;
const LONG_SEEK_SECONDS = 10;
const VOLUME_STEP = 0.05;

const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  [' ', { kind: 'play' }],
  ['k', { kind: 'play' }],
  ['m', { kind: 'mute' }],
  ['f', { kind: 'fullscreen' }],
  ['p', { kind: 'picture-in-picture' }],
  ['w', { kind: 'carriers' }],
  ['End', { kind: 'live' }],
  ['ArrowLeft', { kind: 'seek', seconds: -SEEK_SECONDS }],
  ['ArrowRight', { kind: 'seek', seconds: SEEK_SECONDS }],
  ['j', { kind: 'seek', seconds: -LONG_SEEK_SECONDS }],
  ['l', { kind: 'seek', seconds: LONG_SEEK_SECONDS }],
  ['ArrowUp', { kind: 'volume', change: VOLUME_STEP }],
  ['ArrowDown', { kind: 'volume', change: -VOLUME_STEP }],
]);

/** For the panel: keys, and what they do. */
export const SHORTCUTS: readonly (readonly [string, string])[] = [
  ['Space or K', 'play or pause'],
  ['← →', 'back or forward 5 seconds'],
  ['J L', 'back or forward 10 seconds'],
  ['End', 'to the live edge'],
  ['M', 'sound on or off'],
  ['↑ ↓', 'louder or quieter'],
  ['F', 'full screen'],
  ['P', 'picture in picture'],
  ['W', 'who carries this stream'],
];

export interface Key {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** The action of a key, or null: keys with a modifier belong to the browser. */
export function actionOf(pressed: Key): Action | null {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null;
  const name = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  return ACTIONS.get(name) ?? null;
}
