import { describe, expect, it } from 'vitest';
import { InputGate, type InputGateOwner } from '../../src/connection/input-gate.js';
import { ManualClock } from '../support/manual-clock.js';
import { MemoryLink } from '../support/memory-link.js';
import { turn } from '../support/turn.js';

class Units implements InputGateOwner {
  readonly waiting: (true | Promise<void> | Error)[] = [];
  readonly failures: unknown[] = [];
  taken = 0;
  debt = 0;

  takeNext(): boolean | Promise<void> {
    const unit = this.waiting.shift();
    if (unit === undefined) return false;
    this.taken++;
    if (unit instanceof Error) throw unit;
    return unit;
  }

  debtMs(): number {
    return this.debt;
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }
}

function setUp(): { units: Units; link: MemoryLink; clock: ManualClock; input: InputGate } {
  const [units, link, clock] = [new Units(), new MemoryLink(), new ManualClock()];
  return { units, link, clock, input: new InputGate(link, clock, units) };
}

describe('InputGate', () => {
  it('waits for a unit that takes its time, and does not read meanwhile', async () => {
    const { units, link, input } = setUp();
    let settle!: () => void;
    const slow = new Promise<void>((resolve) => {
      settle = resolve;
    });
    units.waiting.push(true, slow, true);
    input.run();
    input.run();
    expect([units.taken, link.paused]).toEqual([2, true]);
    settle();
    await turn();
    expect([units.taken, link.paused]).toEqual([3, false]);
  });

  it('reads again only when none of its three reasons not to is left', async () => {
    const { units, link, clock, input } = setUp();
    let settle!: () => void;
    units.waiting.push(
      new Promise<void>((resolve) => {
        settle = resolve;
      }),
      true,
    );
    units.debt = 1000;
    input.run();
    input.block();
    settle();
    await turn();
    expect([units.taken, link.paused]).toEqual([1, true]);
    units.debt = 0;
    clock.advance(1000);
    expect(link.paused).toBe(true);
    input.unblock();
    expect([units.taken, link.paused]).toEqual([2, false]);
  });

  it('reads nothing from a debtor until the debt is paid', () => {
    const { units, link, clock, input } = setUp();
    units.debt = 500;
    units.waiting.push(true);
    input.run();
    expect(link.paused).toBe(true);
    clock.advance(499);
    expect(link.paused).toBe(true);
    clock.advance(1);
    expect(link.paused).toBe(false);
  });

  it('hands over what fails, thrown or rejected', async () => {
    const { units, input } = setUp();
    units.waiting.push(new Error('thrown'), Promise.reject(new Error('rejected')));
    input.run();
    input.run();
    await turn();
    expect(units.failures).toEqual([new Error('thrown'), new Error('rejected')]);
  });

  it('takes nothing once it is stopped', () => {
    const { units, input } = setUp();
    units.waiting.push(true);
    input.stop();
    input.run();
    expect(units.taken).toBe(0);
  });
});
