/** Keeps what a command writes in its order, although a piece may have to wait and the command need not wait for it. */

/** Runs what it is given once `rest` has let it, and after all that it was given before. */
export function inOrder(
  rest: () => Promise<void> | undefined,
): (write: () => Promise<void> | undefined) => Promise<void> {
  let resting: Promise<unknown> | undefined;
  let waiting = 0;
  return async (write) => {
    const turn = rest();
    if (turn !== undefined) resting = waiting === 0 ? turn : Promise.all([resting, turn]);
    if (turn !== undefined || waiting > 0) {
      waiting++;
      try {
        await resting;
      } finally {
        waiting--;
      }
    }
    await write();
  };
}
