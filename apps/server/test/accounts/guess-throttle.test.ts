/** How often a password may be guessed, and that the owner of an account is never the one who pays. */
import { describe, expect, it } from 'vitest';
import { type Guesser, GuessThrottle } from '../../src/accounts/guess-throttle.js';

const OWNER: Guesser = { address: '198.51.100.7', clientId: 'hers', account: 'ada' };
const THIEF: Guesser = { address: '203.0.113.9', clientId: 'his', account: 'ada' };

/** A throttle whose clock stands, and how many of `tries` it lets through. */
function make() {
  const clock = { now: 0 };
  const throttle = new GuessThrottle(() => clock.now);
  const guess = (guesser: Guesser, tries: number): number =>
    Array.from({ length: tries }, () => throttle.try(guesser)).filter((answer) => typeof answer !== 'number')
      .length;
  const enter = (guesser: Guesser): boolean => {
    const answer = throttle.try(guesser);
    if (typeof answer === 'number') return false;
    answer.right();
    return true;
  };
  return { clock, throttle, guess, enter };
}

describe('GuessThrottle', () => {
  it('lets ten guesses of an address through, then one in six seconds', () => {
    const { clock, throttle, guess } = make();
    expect(guess(THIEF, 1000)).toBe(10);
    expect(throttle.try(THIEF)).toBe(6000);
    clock.now = 5999;
    expect(throttle.try(THIEF)).toBe(1);
    clock.now = 6000;
    expect(guess(THIEF, 1000)).toBe(1);
  });

  it('counts the guesses of an address for whatever name, those that nobody has too', () => {
    const { guess } = make();
    expect(guess({ ...THIEF, account: undefined }, 6)).toBe(6);
    expect(guess({ ...THIEF, account: 'bob' }, 6)).toBe(4);
    expect(guess({ ...THIEF, clientId: 'another' }, 6)).toBe(0);
  });

  it('does not count what was right', () => {
    const { enter } = make();
    for (let i = 0; i < 100; i++) expect(enter({ ...OWNER, account: `user ${i}` })).toBe(true);
  });

  it('lets the owner in from elsewhere while one address makes 1,000 guesses a second', () => {
    const { clock, guess, enter } = make();
    let guesses = 0;
    for (let second = 0; second < 600; second++) {
      clock.now = second * 1000;
      guesses += guess(THIEF, 1000);
      expect(enter({ ...OWNER, address: `198.51.100.${second % 256}`, clientId: `${second}` })).toBe(true);
    }
    // 10 at once and one in 6 s.
    expect(guesses).toBe(109);
  });

  it('lets in who was there before, from the very address that guesses', () => {
    const { guess, enter } = make();
    const here = { ...OWNER, address: THIEF.address };
    expect(enter(here)).toBe(true);
    guess(THIEF, 1000);
    expect(enter(here)).toBe(true);
    // And from another address, where the client is still the same.
    expect(enter({ ...here, address: '192.0.2.77' })).toBe(true);
  });

  it('lets in by a known address while the account is guessed from very many', () => {
    const { guess, enter } = make();
    const line = { ...OWNER, clientId: '' };
    expect(enter(line)).toBe(true);
    let guesses = 0;
    for (let i = 0; i < 1000; i++) guesses += guess({ ...THIEF, address: `address ${i}` }, 10);
    expect(guesses).toBe(50);
    expect(enter({ ...OWNER, address: '192.0.2.1', clientId: 'new' })).toBe(false);
    expect(enter(line)).toBe(true);
  });

  it('gives a known client no more guesses than others', () => {
    const { guess, enter } = make();
    enter(OWNER);
    expect(guess(OWNER, 1000)).toBe(10);
  });

  it('remembers no more than it has room for', () => {
    const { guess } = make();
    guess(THIEF, 1000);
    for (let i = 0; i < 20_000; i++) guess({ address: `address ${i}`, clientId: '', account: undefined }, 1);
    expect(guess({ ...THIEF, account: undefined }, 1000)).toBe(10);
  });
});
