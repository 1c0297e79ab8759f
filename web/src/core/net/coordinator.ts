import type { Hex } from '../protocol/bytes';
import { type Json, stringifyExact } from '../protocol/exact-json';
import { exchange, json } from './http';
import { baseUrl } from './urls';
import {
  type Admission,
  type Config,
  type Pool,
  readAdmission,
  readConfig,
  readPool,
} from './wire';

const MAX_ANSWER_BYTES = 256 * 1024;
const SILENCE_SECONDS = 5;
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** The coordinator's API as a viewer needs it. Methods throw the errors of `exchange`, or MalformedError. */
export class Coordinator {
  readonly #base: string;

  constructor(url: string) {
    this.#base = baseUrl(url);
  }

  async config(): Promise<Config> {
    return readConfig(await this.#ask('/v1/config', {}));
  }

  async pool(poolId: number): Promise<Pool> {
    return readPool(await this.#ask(`/v1/pools/${poolId}`, {}));
  }

  /** A ticket for a node other than the excluded ones (at most 64). */
  async admit(poolId: number, viewer: Hex, excludedNodes: readonly Hex[]): Promise<Admission> {
    const body = stringifyExact({ poolId: BigInt(poolId), viewer, excludedNodes });
    const answer = await this.#ask('/v1/sessions', { method: 'POST', headers: JSON_TYPE, body });
    return readAdmission(answer);
  }

  async #ask(path: string, init: RequestInit): Promise<Json> {
    return json(
      await exchange(this.#base + path, init, {
        maxBytes: MAX_ANSWER_BYTES,
        silenceSeconds: SILENCE_SECONDS,
        maxSeconds: 2 * SILENCE_SECONDS,
      }),
    );
  }
}
