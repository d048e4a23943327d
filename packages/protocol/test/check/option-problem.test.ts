import { describe, expect, it } from 'vitest';
import { optionProblem } from '../../src/check/option-problem.js';
import { LineDecoder } from '../../src/lines/decoder.js';
import { FrameDecoder } from '../../src/stream/decoder.js';
import { FrameSplitter } from '../../src/stream/splitter.js';

const LISTEN = { port: true, host: true, path: true, tls: true };
const LIMITS = {
  maxFrameBytes: true,
  maxLineBytes: true,
  maxSessions: true,
  idleTimeoutMs: true,
  handshakeTimeoutMs: true,
  maxRooms: true,
  logger: true,
  hooks: true,
  clock: true,
};

describe('optionProblem', () => {
  it('is nothing for options that exist, for none, and for what has no prototype', () => {
    expect(optionProblem({ port: 0, tls: undefined }, LISTEN)).toBeUndefined();
    expect(optionProblem({}, LISTEN)).toBeUndefined();
    expect(optionProblem(Object.assign(Object.create(null), { port: 0 }), LISTEN)).toBeUndefined();
  });

  it.each([
    ['prot', 'port'],
    ['hots', 'host'],
    ['prt', 'port'],
    ['Port', 'port'],
  ])('names %s for what was meant: %s', (written, meant) => {
    expect(optionProblem({ [written]: 0 }, LISTEN)).toBe(
      `unknown option "${written}"; did you mean "${meant}"?`,
    );
  });

  it.each([
    ['maxSesions', 'maxSessions'],
    ['maxsessions', 'maxSessions'],
    ['idleTimeout', 'idleTimeoutMs'],
    ['frameBytes', 'maxFrameBytes'],
    ['maxSession', 'maxSessions'],
  ])('finds %s among many: %s', (written, meant) => {
    expect(optionProblem({ [written]: 0 }, LIMITS)).toContain(`did you mean "${meant}"?`);
  });

  it('lists what exists where nothing is like it and there is little', () => {
    expect(optionProblem({ server: 0 }, LISTEN)).toBe(
      'unknown option "server"; there is port, host, path, tls',
    );
    expect(optionProblem({ colour: 0 }, LIMITS)).toBe('unknown option "colour"');
  });

  it('says where a nested option stands', () => {
    expect(optionProblem({ prot: 0 }, LISTEN, 'listen')).toBe(
      'unknown option "listen.prot"; did you mean "listen.port"?',
    );
  });

  it('finds an option that exists on every object, and one whose value is undefined', () => {
    expect(optionProblem({ toString: 0 }, LISTEN)).toContain('unknown option "toString"');
    expect(optionProblem({ prot: undefined }, LISTEN)).toContain('unknown option "prot"');
    expect(optionProblem(JSON.parse('{"__proto__": 1}'), LISTEN)).toContain('unknown option "__proto__"');
  });

  it.each([
    ['text', 'a string'],
    [7, 'a number'],
    [null, 'null'],
    [undefined, 'undefined'],
    [[1], 'an array'],
    [() => {}, 'a function'],
  ])('refuses %j, which is no object', (options, kind) => {
    expect(optionProblem(options, LISTEN)).toBe(`the options must be an object, not ${kind}`);
    expect(optionProblem(options, LISTEN, 'tls')).toBe(`the options of tls must be an object, not ${kind}`);
  });

  it('takes an instance of a class for options if it has nothing else, and names its class if it has', () => {
    class Config {
      readonly port = 1;
    }
    class Server {
      readonly port = 1;
      readonly events = {};
    }
    expect(optionProblem(new Config(), LISTEN)).toBeUndefined();
    expect(optionProblem(new Server(), LISTEN)).toBe(
      'the options must be a plain object, not a Server: it has "events"',
    );
  });
});

describe('the decoders', () => {
  it.each([
    ['FrameSplitter', FrameSplitter, 'maxFrameBytes', ''],
    ['FrameDecoder', FrameDecoder, 'maxFrameBytes', ''],
    ['LineDecoder', LineDecoder, 'maxLineBytes', ', ffIsText'],
  ])('%s names the options that there are', (_, Decoder, option, more) => {
    const wrong = { maxBytes: 5000 } as object;
    expect(() => new Decoder(wrong)).toThrow(
      new TypeError(`unknown option "maxBytes"; there is ${option}${more}`),
    );
    expect(() => new Decoder({ [option]: 5000 })).not.toThrow();
  });
});
