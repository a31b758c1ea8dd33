/** Keeps what a command writes in its order, although a piece may have to wait and the command need not wait for it. */

export interface InOrder {
  /** Runs it once `rest` has let it, and after all that was given before. */
  readonly write: (write: () => Promise<void> | undefined) => Promise<void>;
  /** Resolves when all that had to wait has been written; undefined if nothing waits. */
  readonly written: () => Promise<unknown> | undefined;
}

export function inOrder(rest: () => Promise<void> | undefined): InOrder {
  let resting: Promise<unknown> | undefined;
  const waiting = new Set<Promise<void>>();
  const afterRest = async (write: () => Promise<void> | undefined): Promise<void> => {
    await resting;
    await write();
  };
  return {
    write: async (write) => {
      const turn = rest();
      if (turn !== undefined) resting = waiting.size === 0 ? turn : Promise.all([resting, turn]);
      if (turn === undefined && waiting.size === 0) return await write();
      const one = afterRest(write);
      waiting.add(one);
      try {
        await one;
      } finally {
        waiting.delete(one);
      }
    },
    written: () => (waiting.size === 0 ? undefined : Promise.allSettled(waiting)),
  };
}
