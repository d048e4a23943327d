/** The checker itself: a history that is as promised passes, and every way to break a promise is seen. */
import { describe, expect, it } from 'vitest';
import { type JudgeOptions, judge, type StoredEntry, type Truth } from './judge.js';
import { Ledger, messageWords, noticeWords, type Outcome } from './ledger.js';

const EPOCH = 'epoch';
const ROOM = 'lobby';

/** `3 ada: hello`, or `4 * bob joined`. */
function stored(...lines: readonly string[]): Truth {
  const entries = lines.map((line): StoredEntry => {
    const [, seq, words] = /^(\d+) (.*)$/.exec(line)!;
    const message = /^(\w+): (.*)$/.exec(words!);
    return {
      seq: Number(seq),
      words: words!,
      ...(message && { message: { author: message[1]!, text: message[2]! } }),
    };
  });
  return new Map([[ROOM, entries]]);
}

class Scene {
  readonly ledger = new Ledger();

  say(author: string, text: string, outcome: Outcome | number): this {
    this.ledger.say(author, ROOM, text).outcome =
      typeof outcome === 'number' ? { kind: 'acknowledged', epoch: EPOCH, seq: outcome } : outcome;
    return this;
  }

  /** What an observer saw: lines as in `stored`, or a gap `[from, to]`. */
  show(observer: string, ...steps: readonly (string | readonly [number, number])[]): this {
    const view = this.ledger.view(observer, ROOM);
    for (const step of steps) {
      if (typeof step !== 'string') view.gap({ from: step[0], to: step[1], reason: 'expired' });
      else view.saw(EPOCH, Number.parseInt(step, 10), step.replace(/^\d+ /, ''));
    }
    return this;
  }

  showText(observer: string, ...steps: readonly (string | undefined)[]): this {
    this.ledger.textView(observer, ROOM).steps.push(...steps);
    return this;
  }

  lastWord(seq: number, words: string): this {
    this.ledger.lastWords.set(ROOM, { seq, words });
    return this;
  }

  rules(truth: Truth, options?: JudgeOptions): string[] {
    return judge(this.ledger, truth, options).map(({ rule }) => rule);
  }
}

const LOG = ['1 * ada joined', '2 ada: one', '4 bob: two', '5 ada: three', '9 bob: four'] as const;
const unknown: Outcome = { kind: 'unknown', code: 'UNCONFIRMED' };

/** Everybody said and saw what is in `LOG`. */
function calm(): Scene {
  return new Scene()
    .say('ada', 'one', 2)
    .say('bob', 'two', 4)
    .say('ada', 'three', 5)
    .say('bob', 'four', 9)
    .show('ada', ...LOG)
    .show('bob', ...LOG.slice(2))
    .showText('carol', ...LOG.slice(1).map((line) => line.slice(2)));
}

describe('the judge', () => {
  it('finds nothing in a history that is as promised', () => {
    expect(
      calm()
        .lastWord(9, 'bob: four')
        .rules(stored(...LOG)),
    ).toEqual([]);
    expect(messageWords('bob', 'four')).toBe('bob: four');
    expect(noticeWords('ada', 'joined')).toBe('* ada joined');
  });

  it('lets an unknown outcome be either', () => {
    expect(
      calm()
        .say('ada', 'five', unknown)
        .rules(stored(...LOG)),
    ).toEqual([]);
    expect(
      calm()
        .say('ada', 'five', unknown)
        .rules(stored(...LOG, '10 ada: five')),
    ).toEqual([]);
  });

  it('sees a message that was acknowledged and is lost, or elsewhere', () => {
    const scene = () => new Scene().say('ada', 'one', 2);
    expect(scene().rules(stored())).toEqual(['lost']);
    expect(scene().rules(stored('3 ada: one'))).toEqual(['lost']);
    expect(scene().rules(stored('2 ada: one'))).toEqual([]);
  });

  it('sees an entry that was shown and is lost, or is another one', () => {
    const scene = () => new Scene().show('bob', '2 * ada joined');
    expect(scene().rules(stored())).toEqual(['lost']);
    expect(scene().rules(stored('2 * eve joined'))).toEqual(['order']);
  });

  it('sees a message that is there twice', () => {
    const scene = new Scene().say('ada', 'one', 2);
    const [violation, ...others] = judge(scene.ledger, stored('2 ada: one', '3 ada: one'));
    expect(others).toEqual([]);
    expect(violation).toMatchObject({ rule: 'doubled', evidence: ['2 ada: one', '3 ada: one'] });
  });

  it('sees a refused message that is there, and one that nobody settled', () => {
    const refused: Outcome = { kind: 'refused', code: 'UNAVAILABLE' };
    expect(new Scene().say('ada', 'one', refused).rules(stored('2 ada: one'))).toEqual(['refused']);
    expect(new Scene().say('ada', 'one', refused).rules(stored())).toEqual([]);
    expect(new Scene().say('ada', 'one', { kind: 'waiting' }).rules(stored())).toEqual(['unsettled']);
  });

  it('sees what nobody said, also under the name of somebody else', () => {
    expect(new Scene().rules(stored('2 ada: one'))).toEqual(['invented']);
    const scene = new Scene().say('ada', 'one', unknown);
    expect(scene.rules(stored('2 bob: one'))).toEqual(['invented']);
  });

  it('takes the beginning of a torn line for the line, once', () => {
    const scene = () => new Scene().say('nc', 'one two', unknown);
    const options = { mayBeTorn: (author: string) => author === 'nc' };
    expect(scene().rules(stored('2 nc: one'), options)).toEqual([]);
    expect(scene().rules(stored('2 nc: one', '3 nc: one'), options)).toEqual(['invented']);
    expect(scene().rules(stored('2 nc: two'), options)).toEqual(['invented']);
    expect(scene().rules(stored('2 nc: one'))).toEqual(['invented']);
  });

  it('sees an order that is another one for somebody', () => {
    const scene = new Scene()
      .show('ada', '1 * x joined', '2 * y joined')
      .show('bob', '1 * y joined', '2 * x joined');
    expect(new Set(scene.rules(stored('1 * x joined', '2 * y joined')))).toEqual(new Set(['order']));
  });

  it('sees messages of an author that changed places', () => {
    const scene = new Scene().say('ada', 'one', 3).say('ada', 'two', 2);
    expect(scene.rules(stored('2 ada: two', '3 ada: one'))).toEqual(['sender-order']);
  });

  it('sees a hole that was not told, and takes one that was', () => {
    const [first, second, third, fourth, last] = LOG;
    expect(
      calm()
        .show('dave', first, third)
        .rules(stored(...LOG)),
    ).toEqual(['hole']);
    expect(
      calm()
        .show('dave', first, [1, 2], third)
        .rules(stored(...LOG)),
    ).toEqual([]);
    expect(
      calm()
        .show('dave', first, [1, 4], fourth, last)
        .rules(stored(...LOG)),
    ).toEqual([]);
    // Told too late, or of too little.
    expect(
      calm()
        .show('dave', first, [2, 4], fourth)
        .rules(stored(...LOG)),
    ).toEqual(['hole']);
    expect(
      calm()
        .show('dave', first, [1, 2], fourth)
        .rules(stored(...LOG)),
    ).toEqual(['hole']);
    expect(
      calm()
        .show('dave', first, second, second)
        .rules(stored(...LOG)),
    ).toEqual(['hole']);
    expect(
      calm()
        .show('dave', second, first)
        .rules(stored(...LOG)),
    ).toEqual(['hole']);
  });

  it('takes a gap of which nobody knows the end, up to the next entry', () => {
    const scene = calm();
    const view = scene.ledger.view('dave', ROOM);
    view.saw(EPOCH, 1, '* ada joined');
    view.gap({ from: 1, to: undefined, reason: 'session-gone' });
    view.saw(EPOCH, 4, 'bob: two');
    expect(scene.rules(stored(...LOG))).toEqual([]);
    view.saw(EPOCH, 9, 'bob: four');
    expect(scene.rules(stored(...LOG))).toEqual(['hole']);
  });

  it('sees a hole behind the position from which somebody went on', () => {
    const scene = calm();
    scene.ledger.view('dave', ROOM, 1).saw(EPOCH, 4, 'bob: two');
    expect(scene.rules(stored(...LOG))).toEqual(['hole']);
  });

  it('sees a hole in what is words only, without what the observer said itself', () => {
    expect(
      calm()
        .showText('dave', 'ada: one', 'ada: three')
        .rules(stored(...LOG)),
    ).toEqual(['hole']);
    expect(
      calm()
        .showText('dave', 'ada: one', undefined, 'ada: three')
        .rules(stored(...LOG)),
    ).toEqual([]);
    expect(
      calm()
        .showText('bob', 'ada: one', 'ada: three')
        .rules(stored(...LOG)),
    ).toEqual([]);
    expect(
      calm()
        .showText('dave', 'bob: two', 'ada: one')
        .rules(stored(...LOG)),
    ).toContain('hole');
    expect(
      calm()
        .showText('dave', 'ada: one', 'ada: one')
        .rules(stored(...LOG)),
    ).toEqual(['hole']);
    expect(
      calm()
        .showText('dave', 'eve: hello')
        .rules(stored(...LOG)),
    ).toEqual(['lost']);
  });

  it('sees who was there and did not see the last word', () => {
    const scene = calm().show('dave', LOG[0]).showText('erin', 'ada: one').lastWord(9, 'bob: four');
    expect(scene.rules(stored(...LOG))).toEqual(['behind', 'behind']);
    scene.ledger.textViews.at(-1)!.isOpen = false;
    scene.ledger.views.at(-1)!.leave();
    expect(scene.rules(stored(...LOG))).toEqual([]);
  });

  it('does not let anybody off who leaves after the end', () => {
    const scene = calm().show('dave', LOG[0]).lastWord(9, 'bob: four');
    scene.ledger.isOver = true;
    scene.ledger.views.at(-1)!.leave();
    expect(scene.rules(stored(...LOG))).toEqual(['behind']);
  });

  it('sees an epoch that changed, in what was shown and in an acknowledgement', () => {
    const scene = calm();
    scene.ledger.view('dave', ROOM).saw('another', 1, '* ada joined');
    expect(scene.rules(stored(...LOG))).toEqual(['epoch']);
    const acked: Outcome = { kind: 'acknowledged', epoch: 'another', seq: 10 };
    expect(
      calm()
        .say('ada', 'five', acked)
        .rules(stored(...LOG, '10 ada: five')),
    ).toEqual(['epoch']);
  });

  it('passes on what was noticed while it happened', () => {
    const scene = calm();
    scene.ledger.offend('name', 'eve came in as ada');
    expect(judge(scene.ledger, stored(...LOG))).toEqual([
      { rule: 'name', text: 'eve came in as ada', evidence: [] },
    ]);
  });
});
