import { ClientError, type Message, type Notice } from '@chat/client';
import { describe, expect, it } from 'vitest';
import { errorText, type SessionEvent } from '../../src/session/session.js';
import { type FormatOptions, formatEvent } from '../../src/text/format.js';
import { colourPalette, paletteFor, plainPalette } from '../../src/text/palette.js';

const plain: FormatOptions = {
  palette: plainPalette,
  times: false,
  currentRoom: () => 'lobby',
  now: () => 0,
};

function message(value: string, changes: Partial<Message> = {}): SessionEvent {
  return {
    type: 'message',
    message: {
      type: 'message',
      room: 'lobby',
      id: 'e-1',
      seq: 1,
      prev: 0,
      at: 0,
      own: false,
      history: false,
      sender: { id: 2, name: 'bob' },
      codec: 1,
      value,
      ...changes,
    },
  };
}

/** A time as lines show it. */
const time = (at: number): string => new Date(at).toTimeString().slice(0, 5);

function notice(changes: Partial<Notice>): SessionEvent {
  return {
    type: 'notice',
    notice: {
      type: 'notice',
      room: 'lobby',
      kind: 'joined',
      id: 'e-1',
      seq: 1,
      prev: 0,
      at: 0,
      own: false,
      history: false,
      member: { id: 2, name: 'bob' },
      oldName: undefined,
      ...changes,
    },
  };
}

describe('formatEvent', () => {
  it('has the form of the line dialect', () => {
    expect(formatEvent(message('hello'), plain)).toEqual(['bob: hello']);
    expect(formatEvent(notice({}), plain)).toEqual(['*** bob has joined the chat']);
    expect(formatEvent(notice({ kind: 'gone' }), plain)).toEqual([
      '*** bob has left the chat (connection lost)',
    ]);
    expect(formatEvent(notice({ kind: 'renamed', oldName: 'rob' }), plain)).toEqual(['*** rob is now bob']);
  });

  it('names the room when it is another one', () => {
    expect(formatEvent(message('hello', { room: 'tea' }), plain)).toEqual(['[tea] bob: hello']);
    expect(formatEvent(notice({ room: 'tea', kind: 'left' }), plain)).toEqual(['*** bob has left tea']);
  });

  it('says of a direct message that it waits for one who is away', () => {
    const sent = { type: 'direct-sent', to: 'bob', text: 'psst' } as const;
    expect(formatEvent({ ...sent, delivery: 'delivered' }, plain)).toEqual(['(to bob) psst']);
    expect(formatEvent({ ...sent, delivery: 'waiting' }, plain)).toEqual([
      '(to bob) psst',
      '*** bob is away: the message waits',
    ]);
  });

  it('shows what somebody does', () => {
    expect(formatEvent(message('/me waves'), plain)).toEqual(['* bob waves']);
  });

  it('shows whom a message answers above it, and who reacts to it below', () => {
    const by = ['ada', 'eve', 'zoe', 'max'].map((name, id) => ({ id, name }));
    const reactions = [
      { reaction: '👍', by },
      { reaction: '🎉', by: by.slice(0, 1) },
    ];
    const { message: said } = message('yes', { reply: 1, reactions } as object) as { message: Message };
    const quote = { name: 'ada', text: `\u001B[2Jtea?\n${'x'.repeat(90)}` };
    const lines = formatEvent({ type: 'message', message: said, quote }, plain);
    expect(lines).toEqual(['  > ada: �[2Jtea?', 'bob: yes', '  👍 ada, eve, zoe and 1 more  🎉 ada']);
    expect(formatEvent({ type: 'message', message: said }, plain)[0]).toBe('  > an earlier message');
    const long = { name: 'ada', text: `${'🎉'.repeat(81)}` };
    expect(formatEvent({ type: 'message', message: said, quote: long }, plain)[0]).toBe(
      `  > ada: ${'🎉'.repeat(80)}…`,
    );
    const change = { seq: 1, of: { id: 1, name: 'ada' }, reaction: '👍' };
    const reacted = { kind: 'reacted', member: { id: 2, name: 'bob' }, change } as const;
    expect(formatEvent(notice(reacted), plain)).toEqual(['*** bob reacts to a message of ada with 👍']);
    // The message has it.
    expect(formatEvent(notice({ ...reacted, history: true }), plain)).toEqual([]);
  });

  it('puts the sender before each line, so that none can be forged', () => {
    expect(formatEvent(message('one\n*** ada has left the chat\r\nada: two\u2028three'), plain)).toEqual([
      'bob: one',
      'bob: *** ada has left the chat',
      'bob: ada: two',
      'bob: three',
    ]);
    expect(formatEvent(message('/me a\nb'), plain)).toEqual(['* bob a b']);
  });

  it('shows what a terminal would obey, in every place that others can write to', () => {
    const hostile = '\u001B[2J\u0007\u202Ex\u009B31m';
    const events: SessionEvent[] = [
      message(hostile),
      message(`/me ${hostile}`),
      message('x', { sender: { id: 2, name: hostile }, room: hostile }),
      notice({ member: { id: 2, name: hostile }, room: hostile }),
      notice({ kind: 'renamed', oldName: hostile }),
      { type: 'direct', message: { ...(message(hostile) as { message: Message }).message, type: 'direct' } },
      { type: 'direct-sent', to: hostile, text: hostile, delivery: 'waiting' },
      { type: 'rooms', page: { rooms: [{ room: hostile, memberCount: 1 }] } },
      { type: 'members', room: hostile, names: [hostile], count: 1 },
      { type: 'failed', what: hostile, error: new Error(hostile) },
      { type: 'room', room: hostile, members: 1 },
      { type: 'gap', gap: { type: 'gap', room: hostile, reason: 'expired', from: 1, to: 2 } },
      { type: 'invalid', reason: hostile },
      { type: 'renamed', name: hostile },
    ];
    for (const event of events) {
      for (const line of formatEvent(event, plain)) {
        expect(line).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E]/);
        expect(line).toContain('\uFFFD');
      }
    }
  });

  it('counts the seconds until the next attempt, once and then now and again', () => {
    const lost = (attempt: number): SessionEvent => ({
      type: 'state',
      before: { status: 'open', resumed: false },
      state: {
        status: 'reconnecting',
        attempt,
        nextAt: 2500,
        error: new ClientError('ERR_CLIENT_CONNECTION_LOST', 'the connection was lost'),
      },
    });
    expect(formatEvent(lost(1), plain)).toEqual([
      '!!! the connection was lost; trying again in 3 s (attempt 1)',
    ]);
    expect(formatEvent(lost(2), plain)).toEqual([]);
    expect(formatEvent(lost(10), plain)).toHaveLength(1);
  });

  it.each(['[admins] eve', '(to you) eve', '!!! eve', '"eve"', '［admins］ eve'])(
    'puts a name in quotes that begins like a mark of its own: %s',
    (name) => {
      const sender = { id: 2, name };
      expect(formatEvent(message('hi', { sender }), plain)).toEqual([`"${name}": hi`]);
      expect(formatEvent(message('/me waves', { sender }), plain)).toEqual([`* "${name}" waves`]);
    },
  );

  it('lets no sequence of a server through, in an error either', () => {
    const bad = 'x\u001B[2J\u009B31m\u009D0;owned\u009C\u202E\nbob: hi';
    const events: SessionEvent[] = [
      message(bad),
      message(bad, { room: bad, sender: { id: 2, name: bad } }),
      notice({ member: { id: 2, name: bad }, kind: 'renamed', oldName: bad }),
      { type: 'failed', what: bad, error: new ClientError('ERR_CLIENT_FORBIDDEN', bad) },
      { type: 'room-left', room: bad, error: new ClientError('ERR_CLIENT_KICKED', bad) },
      { type: 'members', room: bad, names: [bad], count: 2 },
      { type: 'rooms', page: { rooms: [{ room: bad, memberCount: 1 }] } },
      { type: 'renamed', name: bad },
      { type: 'invalid', reason: bad },
    ];
    for (const event of events) {
      for (const line of formatEvent(event, plain)) {
        expect(line).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202E]/);
        expect(line).not.toMatch(/^bob: hi/);
      }
    }
    expect(errorText(new ClientError('ERR_CLIENT_KICKED', bad))).not.toMatch(
      /[\u0000-\u001F\u007F-\u009F\u202E]/,
    );
  });

  it('shows what was found, the newest last, with nothing that a terminal obeys', () => {
    const hit = { id: 'e-1', seq: 1, sender: { id: 2, name: '*** bob' }, marks: [[4, 7]] as const };
    const hits = [
      { ...hit, at: new Date(2024, 0, 2, 3, 4).getTime(), room: 'tea', snippet: 'the fox' },
      { ...hit, at: new Date(2023, 11, 30, 14, 5).getTime(), room: 'lobby', snippet: 'a\n\u001b[2Jfoxes' },
    ];
    const found = (page: object, query = 'fox'): SessionEvent => ({
      type: 'found',
      query,
      page: { hits, ...page },
    });
    expect(formatEvent(found({ cursor: 7, behind: true }), { ...plain, times: true })).toEqual([
      '  2023-12-30 14:05 [lobby] "*** bob": a \ufffd[2Jfoxes',
      '  2024-01-02 03:04 [tea] "*** bob": the fox',
      `${time(0)} *** 2 messages with fox; /search without words looks for older ones; the newest messages are not searched yet`,
    ]);
    const marked = formatEvent(found({}), {
      ...plain,
      palette: { ...plainPalette, strong: (text) => `<${text}>` },
    });
    expect(marked.at(-2)).toBe('  2024-01-02 03:04 [tea] "*** bob": the <fox>');
    expect(formatEvent(found({ hits: [] }, 'a\u001bb'), plain)).toEqual(['*** nothing with a\ufffdb']);
  });

  it('says nothing of a close that the user asked for', () => {
    const closed: SessionEvent = {
      type: 'state',
      before: { status: 'open', resumed: false },
      state: { status: 'closed', reason: new ClientError('ERR_CLIENT_CLOSED', 'closed') },
    };
    expect(formatEvent(closed, plain)).toEqual([]);
  });

  it('shows the time of an entry where times are wanted', () => {
    const at = new Date(2024, 0, 2, 3, 4).getTime();
    expect(formatEvent(message('hello', { at }), { ...plain, times: true })).toEqual(['03:04 bob: hello']);
  });
});

describe('paletteFor', () => {
  const terminal = { isTTY: true, hasColors: () => true };

  it('paints on a terminal that has colours, and nowhere else', () => {
    expect(paletteFor(terminal, {})).toBe(colourPalette);
    expect(paletteFor({ isTTY: true, hasColors: () => false }, {})).toBe(plainPalette);
    expect(paletteFor({}, {})).toBe(plainPalette);
    expect(paletteFor(terminal, { NO_COLOR: '1' })).toBe(plainPalette);
    expect(paletteFor(terminal, { NO_COLOR: '' })).toBe(colourPalette);
  });

  it('gives a person one colour, however the name is spelt', () => {
    const colourOf = (name: string) => colourPalette.person(name, false).replace(name, '');
    expect(colourOf('Ada')).toBe(colourOf('ada'));
    expect(new Set(['ada', 'bob', 'carl', 'dora', 'eve', 'fred'].map(colourOf)).size).toBeGreaterThan(2);
  });
});
