import { bytesCodec, textCodec } from '@chat/protocol';
import { encodeDirect, type SessionLimits } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { ClientError } from '../../src/errors.js';
import { Outbox, type PublishTarget } from '../../src/sending/outbox.js';
import { Publisher } from '../../src/sending/publisher.js';
import { FakeClock } from '../support/fake-clock.js';
import { LIMITS } from '../support/scripted-server.js';

const CLOSED = new ClientError('ERR_CLIENT_CLOSED', 'closed');
const LEFT = new ClientError('ERR_CLIENT_NOT_MEMBER', 'left');

/** A publisher whose outbox sends at once, and what it sent. */
function alone(limits: SessionLimits | undefined = LIMITS) {
  const outbox = new Outbox({ maxCount: 10, maxBytes: 5000, maxAgeMs: 1000 }, new FakeClock(), () => {});
  outbox.open(() => {}, 10, false);
  outbox.release();
  const session = { epoch: 'e1', limits, isClosed: false, assertNotClosed: () => {} };
  session.assertNotClosed = () => {
    if (session.isClosed) throw CLOSED;
  };
  const bodies: Uint8Array[] = [];
  const target: PublishTarget & { refusal?: ClientError | undefined } = {
    publishFrame: (publishId, codec, body) => {
      bodies.push(body);
      return encodeDirect(publishId, codec, 'bob', body);
    },
  };
  return { publisher: new Publisher(session, outbox), outbox, session, target, bodies };
}

describe('Publisher', () => {
  it('names a message by the epoch and its place', async () => {
    const { publisher, outbox, target } = alone();
    const sent = publisher.publish(target, textCodec, 'hello');
    outbox.ack(1, { seq: 5, at: 77 });
    expect(await sent).toEqual({ id: 'e1-5', seq: 5, at: 77 });
  });

  it('refuses what cannot go before it is encoded: the client is closed, or the room is left', async () => {
    const { publisher, session, target } = alone();
    target.refusal = LEFT;
    await expect(publisher.publish(target, textCodec, 1 as never)).rejects.toBe(LEFT);
    session.isClosed = true;
    await expect(publisher.publish(target, textCodec, 1 as never)).rejects.toBe(CLOSED);
  });

  it('refuses a message that the server would refuse, with both numbers', async () => {
    const { publisher, target, bodies } = alone({ ...LIMITS, maxMessageBytes: 4 });
    await expect(publisher.publish(target, textCodec, '12345')).rejects.toMatchObject({
      code: 'ERR_CLIENT_TOO_LARGE',
      message: 'a message of 5 exceeds maxMessageBytes 4',
      max: 4,
      actual: 5,
    });
    expect(bodies).toEqual([]);
  });

  it('copies bytes that their owner may go on writing to', () => {
    const { publisher, target, bodies } = alone();
    const value = Uint8Array.of(1, 2);
    void publisher.publish(target, bytesCodec, value);
    value[0] = 9;
    expect(bodies).toEqual([Uint8Array.of(1, 2)]);
  });

  it('rejects with what the codec throws, and is not reported when nobody listens', async () => {
    const { publisher, target } = alone();
    await expect(publisher.publish(target, textCodec, '\ud800')).rejects.toThrow(TypeError);
    void publisher.publish(target, textCodec, '\ud800');
  });
});
