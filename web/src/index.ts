/** The package's public names. */
export type * from './core/types';
