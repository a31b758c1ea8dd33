/** Two streams side by side, in pieces of equal length. */

export interface Pieces {
  readonly left: Uint8Array;
  readonly right: Uint8Array;
}

/** Pieces of both streams until one ends. Returns which one ended; undefined if both ended at the same byte. */
export async function* sideBySide(
  left: AsyncIterable<Uint8Array>,
  right: AsyncIterable<Uint8Array>,
): AsyncGenerator<Pieces, "left" | "right" | undefined, undefined> {
  const [first, second] = [left[Symbol.asyncIterator](), right[Symbol.asyncIterator]()];
  try {
    let [a, b] = await Promise.all([nextPiece(first), nextPiece(second)]);
    while (a !== undefined && b !== undefined) {
      const length = Math.min(a.length, b.length);
      yield { left: a.subarray(0, length), right: b.subarray(0, length) };
      [a, b] = [
        a.length > length ? a.subarray(length) : await nextPiece(first),
        b.length > length ? b.subarray(length) : await nextPiece(second),
      ];
    }
    return a === b ? undefined : a === undefined ? "left" : "right";
  } finally {
    await Promise.all([first.return?.(undefined), second.return?.(undefined)]);
  }
}

export async function areEqual(left: AsyncIterable<Uint8Array>, right: AsyncIterable<Uint8Array>): Promise<boolean> {
  const pieces = sideBySide(left, right);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done === true) return value === undefined;
    if (firstDifference(value) >= 0) {
      await pieces.return(undefined);
      return false;
    }
  }
}

/** -1 if they are equal. */
export function firstDifference({ left, right }: Pieces, from = 0): number {
  for (let i = from; i < left.length; i++) if (left[i] !== right[i]) return i;
  return -1;
}

/** The first piece that is not empty. */
async function nextPiece(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  for (;;) {
    const { done, value } = await pieces.next();
    if (done === true) return undefined;
    if (value.length > 0) return value;
  }
}
