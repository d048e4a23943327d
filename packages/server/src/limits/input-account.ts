/**
 * What one client has sent and caused, and what its address has: every unit of input of every dialect is charged here,
 * by the prices of `prices.ts`.
 *
 * A client in debt is not read from until the debt is paid; beyond its overdraft, what it sends is refused; one that
 * goes on after so many refusals is shown out. An address in debt is never refused anything, since many may stand
 * behind it: those of its clients that use much are not read from, and what was read waits. One that has most of its
 * burst left goes on: a neighbour that floods does not silence it.
 */

import type { AddressCounts } from '../options/address-counts.js';
import type { ResolvedOptions } from '../options/options.js';
import type { SteadyClock } from '../time/clock.js';
import { addressBlocks } from './addresses/address-blocks.js';
import type { AddressLimit } from './addresses/address-limit.js';
import { timesRate } from './addresses/address-rate.js';
import { bucketOf } from './addresses/shared-bucket.js';
import { InputTurns } from './input-turns.js';
import { ADDRESS_TURN, CONNECTION_TURN, OverheadBytes, Price, TURN_PRICE_OF_BYTE } from './prices.js';
import { type Rate, rateOf, TokenBucket } from './token-bucket.js';

/** A client that has used no more than these parts of its burst does not wait for what its address owes. */
const LIGHT_MESSAGES = 1 / 2;
const LIGHT_BYTES = 1 / 16;

/** How much may be taken in. */
export interface InputRates {
  readonly messages: Rate;
  readonly bytes: Rate;
}

function isLimit({ perSecond }: Rate): boolean {
  return perSecond !== Number.POSITIVE_INFINITY;
}

/** How much of a turn is used, for as long as it is that turn. */
class TurnShare {
  readonly #turns: InputTurns;
  readonly #max: number;
  #turn = 0;
  #used = 0;

  constructor(turns: InputTurns, max: number) {
    this.#turns = turns;
    this.#max = max;
  }

  use(units: number): void {
    if (this.#turn !== this.#turns.current) {
      this.#turn = this.#turns.current;
      this.#used = 0;
    }
    this.#used += units;
    // Early, so that what comes in bit by bit does not add up over many turns that nobody counted.
    if (this.#used > this.#max / 2) this.#turns.end();
  }

  get isUsedUp(): boolean {
    return this.#used >= this.#max && this.#turn === this.#turns.current;
  }
}

interface AddressAccountOptions {
  readonly rates: InputRates;
  readonly key: string;
  readonly factor: number;
  readonly counts: AddressCounts;
}

/** The account of an address, or of a block of them. */
class AddressAccount {
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
  readonly turn: TurnShare;
  connections = 0;

  constructor({ rates, key, factor, counts }: AddressAccountOptions, turns: InputTurns, now: number) {
    this.messages = bucketOf(timesRate(rates.messages, factor), now, counts.open('messages', key));
    this.bytes = bucketOf(timesRate(rates.bytes, factor), now, counts.open('bytes', key));
    this.turn = new TurnShare(turns, ADDRESS_TURN * factor);
  }
}

/** The burst of an address, and of the bytes of a client, in seconds of its rate. */
const ADDRESS_BURST_S = 4;
const BYTES_BURST_S = 2;

/** The limits of input, and the clock by which they are measured. */
export type InputOptions = Pick<
  ResolvedOptions,
  | 'clock'
  | 'maxMessagesPerSecond'
  | 'maxMessageBurst'
  | 'maxInputBytesPerSecond'
  | 'maxMessagesPerSecondPerAddress'
  | 'maxInputBytesPerSecondPerAddress'
  | 'maxRateViolations'
  | 'addressCounts'
>;

/** The accounts of all that are connected, and of those that may come back. */
export class InputAccounts {
  readonly clock: SteadyClock;
  readonly turns: InputTurns = new InputTurns();
  /** Of one client. */
  readonly rates: InputRates;
  /** Units that carry nothing, of one client. */
  readonly trifles: Rate;
  readonly maxViolations: () => number;
  readonly #perAddress: InputRates;
  readonly #limit: AddressLimit;
  readonly #counts: AddressCounts;
  readonly #addresses = new Map<string, AddressAccount>();

  /**
   * @param options read each time, since limits may change
   * @param limit knows which addresses are exempt
   */
  constructor(options: InputOptions, limit: AddressLimit) {
    this.clock = options.clock;
    this.rates = {
      messages: rateOf(
        () => options.maxMessagesPerSecond,
        () => options.maxMessageBurst,
      ),
      bytes: rateOf(
        () => options.maxInputBytesPerSecond,
        () => options.maxInputBytesPerSecond * BYTES_BURST_S,
      ),
    };
    this.#perAddress = {
      messages: rateOf(
        () => options.maxMessagesPerSecondPerAddress,
        () => options.maxMessagesPerSecondPerAddress * ADDRESS_BURST_S,
      ),
      bytes: rateOf(
        () => options.maxInputBytesPerSecondPerAddress,
        () => options.maxInputBytesPerSecondPerAddress * ADDRESS_BURST_S,
      ),
    };
    this.trifles = timesRate(this.rates.messages, 1 / Price.trifle);
    this.maxViolations = () => options.maxRateViolations;
    this.#limit = limit;
    this.#counts = options.addressCounts;
  }

  /** The account of a new connection; to be closed with it. */
  open(address: string): InputAccount {
    const blocks = this.#limit.isExempt(address) ? [] : addressBlocks(address);
    const now = this.clock.monotonic();
    const rates = this.#perAddress;
    const counts = this.#counts;
    return new InputAccount(
      this,
      blocks.map(({ key, factor }) => {
        let account = this.#addresses.get(key);
        if (!account) {
          account = new AddressAccount({ rates, key, factor, counts }, this.turns, now);
          this.#addresses.set(key, account);
        }
        account.connections++;
        return account;
      }),
    );
  }

  /** Whether anything is to be counted. */
  get isLimited(): boolean {
    const { rates } = this;
    const all = this.#perAddress;
    return isLimit(rates.messages) || isLimit(rates.bytes) || isLimit(all.messages) || isLimit(all.bytes);
  }

  /** Forgets addresses that are not connected and owe nothing. To be called now and then. */
  expire(now: number): void {
    for (const [key, { connections, messages, bytes }] of this.#addresses) {
      if (connections > 0 || !messages.isFull(now) || !bytes.isFull(now)) continue;
      messages.close();
      bytes.close();
      this.#addresses.delete(key);
    }
  }

  /** Addresses, and blocks of them, that are remembered. */
  get size(): number {
    return this.#addresses.size;
  }
}

/** The account of one client. A session takes it along from connection to connection. */
export class InputAccount {
  readonly #all: InputAccounts;
  readonly #turn: TurnShare;
  // An idle connection is small: what it needs to be charged is made when it first is.
  #messages: TokenBucket | undefined;
  /** Apart from messages: a ping now and then takes nothing from what may be said. */
  #trifles: TokenBucket | undefined;
  #bytes: TokenBucket | undefined;
  #blocks: readonly AddressAccount[];
  #violations = 0;
  #now: number;

  constructor(all: InputAccounts, blocks: readonly AddressAccount[]) {
    this.#all = all;
    this.#blocks = blocks;
    this.#turn = new TurnShare(all.turns, CONNECTION_TURN);
    this.#now = all.clock.monotonic();
  }

  get turns(): InputTurns {
    return this.#all.turns;
  }

  /** Looks at the clock: what is charged from here on is charged at this moment. */
  look(): void {
    this.#now = this.#all.clock.monotonic();
  }

  /** Charges a unit; false beyond the overdraft, where it is to be refused. */
  tryCharge(price: number): boolean {
    if (!this.#all.isLimited) return true;
    this.#use(price);
    for (const { messages } of this.#blocks) messages.charge(this.#now, price);
    this.#messages ??= new TokenBucket(this.#all.rates.messages, this.#now);
    return this.#messages.tryCharge(this.#now, price);
  }

  /** Charges what has been done already. */
  charge(price: number): void {
    if (!this.#all.isLimited) return;
    this.#use(price);
    for (const { messages } of this.#blocks) messages.charge(this.#now, price);
    this.#messages ??= new TokenBucket(this.#all.rates.messages, this.#now);
    this.#messages.charge(this.#now, price);
  }

  /** Charges units that carry nothing; says whether they are taken, or refused, or too many for too long. */
  chargeTrifles(count: number): 'taken' | 'refused' | 'flood' {
    let outcome: 'taken' | 'refused' = 'taken';
    for (let i = 0; i < count; i++) {
      if (this.#tryTrifle()) continue;
      if (this.violate()) return 'flood';
      outcome = 'refused';
    }
    return outcome;
  }

  #tryTrifle(): boolean {
    if (!this.#all.isLimited) return true;
    this.#use(Price.trifle);
    for (const { messages } of this.#blocks) messages.charge(this.#now, Price.trifle);
    this.#trifles ??= new TokenBucket(this.#all.trifles, this.#now);
    return this.#trifles.tryCharge(this.#now);
  }

  /** Charges what was read from the socket. */
  chargeChunk(bytes: number): void {
    this.chargeBytes(bytes + OverheadBytes.chunk);
  }

  chargeBytes(bytes: number): void {
    if (!this.#all.isLimited) return;
    this.#use(bytes * TURN_PRICE_OF_BYTE);
    for (const block of this.#blocks) block.bytes.charge(this.#now, bytes);
    this.#bytes ??= new TokenBucket(this.#all.rates.bytes, this.#now);
    this.#bytes.charge(this.#now, bytes);
  }

  /** Counts a refusal; true when it is one too many. */
  violate(): boolean {
    return ++this.#violations > this.#all.maxViolations();
  }

  /** Forgets floods of an earlier connection. */
  forgive(): void {
    this.#violations = 0;
  }

  /** For how long nothing more should be read; 0 when nothing is owed. */
  debtMs(): number {
    this.look();
    let most = this.#addressDebtMs();
    for (const bucket of [this.#messages, this.#trifles, this.#bytes]) {
      if (bucket) most = Math.max(most, bucket.debtMs(this.#now));
    }
    return most;
  }

  /** Whether what was read must wait: its part of the turn is used up, or its address is in debt. */
  get mustWait(): boolean {
    if (this.#turn.isUsedUp) return true;
    for (const { turn } of this.#blocks) if (turn.isUsedUp) return true;
    return this.#addressDebtMs() > 0;
  }

  /** Whether it waits for the next turn, and not for a debt. */
  get isTurnUsedUp(): boolean {
    return this.#turn.isUsedUp || this.#blocks.some(({ turn }) => turn.isUsedUp);
  }

  /** Goes on over the connection of `other`, which has its own account no more. */
  moveTo(other: InputAccount): void {
    this.close();
    this.#blocks = other.#blocks;
    other.#blocks = [];
    this.forgive();
  }

  /** The connection is gone. */
  close(): void {
    for (const block of this.#blocks) block.connections--;
    this.#blocks = [];
  }

  get #isLight(): boolean {
    const isLight = (bucket: TokenBucket | undefined, part: number): boolean =>
      bucket === undefined || bucket.isLight(this.#now, part);
    return (
      isLight(this.#messages, LIGHT_MESSAGES) &&
      isLight(this.#trifles, LIGHT_MESSAGES) &&
      isLight(this.#bytes, LIGHT_BYTES)
    );
  }

  #use(units: number): void {
    // Without a rate it may have all of a turn.
    if (this.#all.rates.messages.perSecond === Number.POSITIVE_INFINITY) return;
    this.#turn.use(units);
    for (const { turn } of this.#blocks) turn.use(units);
  }

  /** The debt of its address; 0 for a client that has used little. */
  #addressDebtMs(): number {
    let most = 0;
    for (const { messages, bytes } of this.#blocks) {
      most = Math.max(most, messages.debtMs(this.#now), bytes.debtMs(this.#now));
    }
    return most > 0 && this.#isLight ? 0 : most;
  }
}
