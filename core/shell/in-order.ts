/**
 * Writes a command's output in the order in which it came, even if a piece has to wait and the command does not wait
 * for it.
 */

export interface InOrder {
  /** Runs `write` after all earlier writes, and after the promise that `rest` returned, if it returned one. */
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
