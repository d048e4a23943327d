/** Ways to cut a stream: whole, byte by byte, and at places chosen by a small generator with a seed. */

export function cutEverywhere(bytes: Uint8Array): { name: string; chunks: Uint8Array[] }[] {
  return [
    { name: 'whole', chunks: [bytes] },
    { name: 'byte by byte', chunks: Array.from(bytes, (_, i) => bytes.slice(i, i + 1)) },
    ...[1, 2, 3].map((seed) => ({ name: `at random cuts ${seed}`, chunks: cutAtRandom(bytes, seed) })),
  ];
}

function cutAtRandom(bytes: Uint8Array, seed: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let state = seed;
  for (let offset = 0; offset < bytes.length; ) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const length = 1 + (state % 97);
    chunks.push(bytes.slice(offset, offset + length));
    offset += length;
  }
  return chunks;
}

export function concat(parts: readonly (Uint8Array | string)[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))));
}
