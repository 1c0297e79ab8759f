import { readFileSync } from 'node:fs';

/** A file of golden vectors: its cases, and what they share. Integers are decimal strings. */
export type Vectors<Case, Shared = object> = Shared & {
  readonly chainId: string;
  readonly epochBook: string;
  readonly caseCount: string;
  readonly cases: readonly Case[];
};

export function vectors<Case, Shared = object>(name: string): Vectors<Case, Shared> {
  const file = new URL(`../../../tests/vectors/${name}.json`, import.meta.url);
  const read = JSON.parse(readFileSync(file, 'utf-8')) as Vectors<Case, Shared>;
  if (read.cases.length !== Number(read.caseCount)) throw new Error(`${name} lacks cases`);
  return read;
}
