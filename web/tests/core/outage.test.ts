import { describe, expect, it } from 'vitest';
import { Outage } from '../../src/core/outage';

function heard(): { outage: Outage; said: string[] } {
  const said: string[] = [];
  return { outage: new Outage((detail) => said.push(detail)), said };
}

describe('an outage', () => {
  it('is said once until something arrives', () => {
    const { outage, said } = heard();
    outage.began('first');
    outage.began('second');
    outage.over();
    outage.began('third');
    expect(said).toEqual(['first', 'third']);
  });

  it('is not said while the picture moves, and never when it was over before', () => {
    const { outage, said } = heard();
    outage.playing(true);
    outage.began('short');
    outage.over();
    outage.playing(false);
    expect(said).toEqual([]);
    outage.playing(true);
    outage.began('long');
    expect(said).toEqual([]);
    outage.playing(false);
    expect(said).toEqual(['long']);
  });
});
