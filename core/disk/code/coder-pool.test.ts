/** How the pool treats its threads, with threads that the test controls. */
import { describe, expect, it } from "vitest";
import { reedSolomonModule } from "../../../test/fixtures/reed-solomon.ts";
import { StarfishError } from "../../base/errors.ts";
import { coderLanes, CoderPool, type CoderThread } from "./coder-pool.ts";
import type { CoderAnswer, CoderCall } from "./coder-thread.ts";

/** Threads that answer when they are told to. */
class Threads {
  readonly all: FakeThread[] = [];

  pool(lanes: number, loadModule = async (): Promise<WebAssembly.Module> => reedSolomonModule): CoderPool {
    return new CoderPool({
      lanes,
      loadModule,
      startThread: () => {
        const thread = new FakeThread();
        this.all.push(thread);
        return thread;
      },
      hash: async () => [],
    });
  }
}

class FakeThread implements CoderThread {
  readonly calls: CoderCall[] = [];
  receive: (answer: CoderAnswer) => void = () => {};
  die: (message: string) => void = () => {};
  isOver = false;

  post(call: CoderCall): void {
    this.calls.push(call);
  }
  onAnswer(receive: (answer: CoderAnswer) => void): void {
    this.receive = receive;
  }
  onDeath(died: (message: string) => void): void {
    this.die = died;
  }
  terminate(): void {
    this.isOver = true;
  }
  /** Answers the oldest call. */
  answer(): void {
    const call = this.calls.shift();
    this.receive({ id: call?.id ?? -1, ok: true, stripe: { shards: [], hashes: [], root: new Uint8Array(32) } });
  }
}

const encode = (pool: CoderPool): Promise<unknown> => pool.encode([new Uint8Array(1)], 1);
const counts = (threads: Threads): number[] => threads.all.map(({ calls }) => calls.length);
/** Lets every promise that can settle do so. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe("coder pool", () => {
  it("starts no more threads than there is work for, and gives each two calls at most", async () => {
    const threads = new Threads();
    const pool = threads.pool(3);
    for (let i = 0; i < 3; i++) {
      const call = encode(pool);
      await settled();
      expect(counts(threads)).toEqual([1]);
      threads.all[0]?.answer();
      await call;
    }
    const calls = Promise.all(Array.from({ length: 8 }, () => encode(pool)));
    await settled();
    expect(counts(threads)).toEqual([2, 2, 2]);
    threads.all[1]?.answer();
    await settled();
    expect(counts(threads)).toEqual([2, 2, 2]);
    for (let i = 0; i < 3; i++) for (const thread of threads.all) thread.answer();
    await settled();
    for (const thread of threads.all) thread.answer();
    await calls;
  });

  it("a death fails what its thread had, which is ended, and what waits goes to another", async () => {
    const threads = new Threads();
    const pool = threads.pool(1);
    const calls = Array.from({ length: 3 }, () => encode(pool));
    const ends = Promise.allSettled(calls);
    await settled();
    const [first] = threads.all;
    first?.die("it fell");
    first?.die("it exited with 1");
    await settled();
    expect(first?.isOver).toBe(true);
    expect(counts(threads)).toEqual([2, 1]);
    // Too late: nobody waits for it any more.
    first?.answer();
    threads.all[1]?.answer();
    const reason = { code: "closed", retryable: true, message: expect.stringContaining("it fell") };
    expect(await ends).toMatchObject([
      { status: "rejected", reason },
      { status: "rejected", reason },
      { status: "fulfilled" },
    ]);
  });

  it("a thread's own failure is out of memory, and the thread stays", async () => {
    const threads = new Threads();
    const pool = threads.pool(1);
    const call = encode(pool);
    await settled();
    threads.all[0]?.receive({ id: threads.all[0]?.calls[0]?.id ?? -1, ok: false, message: "no room" });
    await expect(call).rejects.toMatchObject({ code: "out-of-memory", retryable: true });
    void encode(pool);
    await settled();
    expect(threads.all.length).toBe(1);
  });

  it("a module that is not to be had fails the calls that need it, and is asked for again", async () => {
    const threads = new Threads();
    let asked = 0;
    const pool = threads.pool(2, async () => {
      if (asked++ === 0) throw new StarfishError("unreachable", "the server is gone", { retryable: true });
      return reedSolomonModule;
    });
    for (const end of await Promise.allSettled([encode(pool), encode(pool), encode(pool)])) {
      expect(end).toMatchObject({ status: "rejected", reason: { code: "unreachable" } });
    }
    const call = encode(pool);
    await settled();
    threads.all[0]?.answer();
    await call;
    expect(asked).toBe(2);
  });

  it("ends a thread that was starting when the pool was closed", async () => {
    const threads = new Threads();
    const pool = threads.pool(1);
    const call = encode(pool);
    const closing = pool[Symbol.asyncDispose]();
    await expect(call).rejects.toMatchObject({ code: "closed", retryable: false });
    await closing;
    expect(threads.all.map(({ calls, isOver }) => [calls.length, isOver])).toEqual([[0, true]]);
  });

  it("leaves a core to the node where there are more than two", () => {
    expect([1, 2, 3, 4, 5, 64].map(coderLanes)).toEqual([1, 2, 2, 3, 4, 4]);
  });
});
