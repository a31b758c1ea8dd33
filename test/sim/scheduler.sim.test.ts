/** The scheduler: order, cancellation, and promises that settle before the next event. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Call, Scheduler } from "./scheduler.ts";
import { SimWorld } from "./world.ts";

describe("scheduler", () => {
  it("runs events by time, and by order of posting within one time, without the cancelled ones", async () => {
    const event = fc.record({ atMs: fc.nat({ max: 50 }), isCancelled: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 200 }), async (events) => {
        const scheduler = new Scheduler();
        const ran: number[] = [];
        const posted = events.map(({ atMs }, i) => {
          const call = new Call("test", () => void ran.push(i));
          scheduler.post(call, atMs);
          return call;
        });
        posted.forEach((call, i) => events[i]?.isCancelled === true && scheduler.cancel(call));
        await scheduler.run(100);
        const expected = events
          .map(({ atMs, isCancelled }, i) => ({ atMs, isCancelled, i }))
          .filter(({ isCancelled }) => !isCancelled)
          .sort((a, b) => a.atMs - b.atMs || a.i - b.i);
        expect(ran).toEqual(expected.map(({ i }) => i));
        expect(scheduler.nowMs).toBe(100);
      }),
    );
  });

  it("runs all continuations of promises before the next event", async () => {
    const scheduler = new Scheduler();
    const steps: string[] = [];
    const deep = async (levels: number): Promise<void> => {
      if (levels > 0) await deep(levels - 1);
    };
    scheduler.after(1, "first", () => {
      void deep(1000).then(() => steps.push("continuation"));
    });
    scheduler.after(1, "second", () => void steps.push("event"));
    await scheduler.run(2);
    expect(steps).toEqual(["continuation", "event"]);
  });

  it("drops cancelled events before their time when there are many", async () => {
    const scheduler = new Scheduler();
    let ran = 0;
    for (let i = 0; i < 30_000; i++) scheduler.cancel(scheduler.after(1000, "never", () => ran++));
    for (let i = 0; i < 10; i++) scheduler.after(10 - i, "some", () => ran++);
    await scheduler.run(2000);
    expect([ran, scheduler.events]).toEqual([10, 10]);
  });

  it("stops when it is told to, and goes on from there", async () => {
    const scheduler = new Scheduler();
    let ran = 0;
    for (let i = 1; i <= 10; i++) scheduler.after(i, "count", () => ran++);
    expect(await scheduler.run(100, () => ran === 3)).toBe(true);
    expect([ran, scheduler.nowMs]).toEqual([3, 3]);
    expect(await scheduler.run(100)).toBe(false);
    expect([ran, scheduler.nowMs]).toEqual([10, 100]);
  });

  it("hands on what an event throws, with seed and time", async () => {
    const world = new SimWorld({ seed: "abc" });
    world.scheduler.after(12, "fault", () => {
      throw new Error("my fault");
    });
    await expect(world.runFor(100)).rejects.toThrow(/seed abc, virtual time 12\.000 ms.*my fault/);
    await world.runFor(100);
  });
});
