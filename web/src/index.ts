/** The package's public names. Importing it defines `<streamrp2p-player>`. */
export { createPlayerCore, isSupported } from './core/player';
export type * from './core/types';
export { StreamrP2PPlayer } from './ui/player';
