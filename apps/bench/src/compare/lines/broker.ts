/**
 * What lines through a text-framed broker have in common: each end listens to a subject of its own and publishes to that
 * of the other, and a message goes between a head in text and a line end.
 */
import type { Address } from '../../process/server-process.js';
import type { Line, Mechanism } from '../line.js';

interface Params {
  readonly address: Address;
  readonly unique: string;
}

/** @param open - opens the end that listens to `own` and publishes to `other` */
export function brokerMechanism(
  open: (address: Address, own: string, other: string) => Promise<Line>,
): Mechanism {
  return {
    async openNear({ unique, server, startFar }) {
      const params: Params = { address: server!, unique };
      const line = await open(params.address, `${unique}.near`, `${unique}.far`);
      await startFar(params);
      return line;
    },
    openFar: ({ address, unique }: Params) => open(address, `${unique}.far`, `${unique}.near`),
  };
}

/** `head`, the bytes, and a line end, in one buffer. */
export function createCommand(head: string, bytes: Uint8Array): Buffer {
  const command = Buffer.allocUnsafe(head.length + bytes.length + 2);
  command.write(head, 0, 'latin1');
  command.set(bytes, head.length);
  command.write('\r\n', head.length + bytes.length, 'latin1');
  return command;
}

/** Reads the decimal number at `start … end`. */
export function readDigits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + bytes[i]! - 0x30;
  return value;
}
