import type { Hex } from '../protocol/bytes';
import type { LeaveReason, SourceStats } from '../types';

/** What one relay, or the origin, did so far, over all sessions with it. */
export class Tally {
  readonly node: Hex | null;
  endpoint: string;
  role: SourceStats['role'] = 'left';
  leftBecause: LeaveReason | null = null;
  receipts = 0;
  #bytesDelivered = 0;
  #bytesOnTime = 0;
  #bytesRefused = 0;
  #objects = 0;
  #lateInARow = 0;
  #missing = 0;
  #wasJoined = false;

  constructor(node: Hex | null, endpoint: string) {
    this.node = node;
    this.endpoint = endpoint;
  }

  /** Whether it had a part in the watch at all. */
  get wasUsed(): boolean {
    return this.#objects > 0 || this.#wasJoined || this.leftBecause !== null;
  }

  get lateInARow(): number {
    return this.#lateInARow;
  }

  delivered(lengthBytes: number, isOnTime: boolean): void {
    this.#objects += 1;
    this.#bytesDelivered += lengthBytes;
    if (isOnTime) this.#bytesOnTime += lengthBytes;
    this.#lateInARow = isOnTime ? 0 : this.#lateInARow + 1;
  }

  refused(lengthBytes: number): void {
    this.#bytesRefused += lengthBytes;
  }

  /** Another source had to help out in time. */
  late(): void {
    this.#lateInARow += 1;
  }

  /** Others had an object that this one had not; returns how often that was. */
  missed(): number {
    this.#missing += 1;
    return this.#missing;
  }

  left(because: LeaveReason | null): void {
    this.role = 'left';
    this.leftBecause = because;
  }

  joined(role: SourceStats['role']): void {
    this.role = role;
    this.#wasJoined = true;
    // Primary and standby may change places, which makes nobody better.
    if (this.leftBecause !== null) this.#lateInARow = this.#missing = 0;
    this.leftBecause = null;
  }

  stats(): SourceStats {
    return {
      node: this.node,
      endpoint: this.endpoint,
      role: this.role,
      bytesDelivered: this.#bytesDelivered,
      bytesOnTime: this.#bytesOnTime,
      bytesRefused: this.#bytesRefused,
      objects: this.#objects,
      receipts: this.receipts,
      leftBecause: this.leftBecause,
    };
  }
}
