/** Endless bytes, in pieces. */
const PIECE_BYTES: number = 64 * 1024;

export async function* endless(piece: (length: number) => Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) yield await Promise.resolve(piece(PIECE_BYTES));
}

export const zeros = (length: number): Uint8Array => new Uint8Array(length);
