/**
 * In the page, in place of mortice: a lock for many readers or one writer, in the order in which they came. It is what
 * libp2p's peer store asks for with `singleProcess`; mortice can also span workers, for which the page has no use.
 */

type Release = () => void;

interface Options {
  readonly signal?: AbortSignal;
}

interface Lock {
  readLock(options?: Options): Promise<Release>;
  writeLock(options?: Options): Promise<Release>;
  finalize(): void;
}

/** Whoever made it keeps it: `finalize` has nothing to forget. */
export function createLock(): Lock {
  /** When the last writer has left, and when everybody has. */
  let writers: Promise<unknown> = Promise.resolve();
  let everybody: Promise<unknown> = Promise.resolve();

  async function enter(before: Promise<unknown>, left: PromiseWithResolvers<void>, options: Options): Promise<Release> {
    const { signal } = options;
    const leave = (): void => left.resolve();
    const given = Promise.withResolvers<never>();
    const giveUp = (): void => given.reject(signal?.reason);
    try {
      signal?.throwIfAborted();
      signal?.addEventListener("abort", giveUp, { once: true });
      await Promise.race([before, given.promise]);
      return leave;
    } catch (error) {
      leave();
      throw error;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  return {
    readLock(options = {}) {
      const left = Promise.withResolvers<void>();
      const before = writers;
      everybody = Promise.all([everybody, left.promise]);
      return enter(before, left, options);
    },
    writeLock(options = {}) {
      const left = Promise.withResolvers<void>();
      const before = everybody;
      // Whoever comes later waits for this one and, should it give up, for those before it all the same.
      everybody = writers = Promise.all([before, left.promise]);
      return enter(before, left, options);
    },
    finalize() {},
  };
}
