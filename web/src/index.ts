/** The package's public names. */
export { createPlayerCore, isSupported } from './core/player';
export type * from './core/types';
