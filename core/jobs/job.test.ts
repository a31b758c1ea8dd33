import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../base/bytes.ts";
import { type Attempt, type Chunk, Ledger } from "./job.ts";
import { CHUNK_FAILURES_MAX, COPIES_MAX } from "./limits.ts";

const PEERS = ["self", "a", "b", "c"];

function filled(count: number): Ledger {
  const ledger = new Ledger();
  for (let i = 0; i < count; i++) ledger.add(utf8(String(i)));
  return ledger;
}

function attemptOf(peer: string, startedAtMs = 0): Attempt & { cancelled: boolean } {
  return {
    peer,
    startedAtMs,
    cancelled: false,
    cancel(): void {
      this.cancelled = true;
    },
  };
}

function start(ledger: Ledger, peer: string, startedAtMs = 0): { chunk: Chunk; attempt: ReturnType<typeof attemptOf> } {
  const chunk = ledger.next(peer, peer === "self");
  if (chunk === undefined) throw new Error("There is nothing to start");
  const attempt = attemptOf(peer, startedAtMs);
  ledger.start(chunk, attempt);
  return { chunk, attempt };
}

describe("the ledger of a job", () => {
  test("where nothing new may begin, what was given back still may", () => {
    const ledger = filled(2);
    const { chunk, attempt } = start(ledger, "a");
    expect(ledger.next("b", false, false)).toBeUndefined();
    ledger.giveBack(chunk, attempt);
    expect(ledger.next("b", false, false)).toBe(chunk);
  });

  test("covers every chunk exactly once, in whatever order nodes finish, fail and copy", () => {
    const step = fc.record({
      peer: fc.constantFrom(...PEERS),
      what: fc.constantFrom("start", "start", "finish", "finish", "fail", "copy"),
      which: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.array(step, { maxLength: 400 }), (count, steps) => {
        const ledger = filled(count);
        const out: { chunk: Chunk; attempt: ReturnType<typeof attemptOf> }[] = [];
        const finished: number[] = [];
        let nowMs = 0;
        const finish = (which: number): void => {
          const [entry] = out.splice(which % out.length, 1);
          // A cancelled attempt tells nothing any more.
          if (entry === undefined || entry.attempt.cancelled) return;
          if (ledger.finish(entry.chunk, entry.attempt)) finished.push(entry.chunk.index);
        };
        for (const { peer, what, which } of steps) {
          nowMs += 100;
          const own = peer === "self";
          const chunk =
            what === "start" ? ledger.next(peer, own) : what === "copy" ? ledger.late(peer, own, nowMs, 50) : undefined;
          if (chunk !== undefined) {
            expect([...chunk.attempts].some((other) => other.peer === peer)).toBe(false);
            const attempt = attemptOf(peer, nowMs);
            ledger.start(chunk, attempt);
            out.push({ chunk, attempt });
            expect(chunk.attempts.size).toBeLessThanOrEqual(COPIES_MAX);
          } else if (what === "finish" && out.length > 0) {
            finish(which);
          } else if (what === "fail" && out.length > 0) {
            const [entry] = out.splice(which % out.length, 1);
            if (entry !== undefined) ledger.giveBack(entry.chunk, entry.attempt);
          }
          const running = new Set(out.filter(({ attempt }) => !attempt.cancelled).map(({ chunk: { index } }) => index));
          expect(ledger.running).toBe(running.size);
          expect(ledger.done + ledger.running + ledger.waiting).toBe(count);
        }
        while (ledger.done < count) {
          while (ledger.waiting > 0) out.push(start(ledger, "self"));
          finish(0);
        }
        expect(finished.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(ledger.inputBytes).toBe(0);
        expect(ledger.window).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test("chunks that were given back go first", () => {
    const ledger = filled(3);
    const first = start(ledger, "a");
    start(ledger, "a");
    ledger.giveBack(first.chunk, first.attempt);
    expect(start(ledger, "b").chunk.index).toBe(0);
    expect(ledger.reissued).toBe(1);
  });

  test("what several nodes failed is left to the submitter", () => {
    const ledger = filled(1);
    const { chunk, attempt } = start(ledger, "a");
    chunk.failures = CHUNK_FAILURES_MAX;
    ledger.giveBack(chunk, attempt);
    expect(ledger.next("b", false)).toBeUndefined();
    expect(ledger.next("self", true)).toBe(chunk);
  });

  test("a suspicion is confirmed by another node", () => {
    const ledger = filled(1);
    const { chunk, attempt } = start(ledger, "a");
    chunk.suspicion = { peer: "a", failure: { code: "timeout", message: "long" } };
    ledger.giveBack(chunk, attempt);
    expect([...ledger.suspects()]).toEqual([chunk]);
    expect(ledger.next("a", false)).toBeUndefined();
    expect(ledger.next("b", false)).toBe(chunk);
  });

  test("copies are made of what has been out longest, and more only when those are late too", () => {
    const ledger = filled(2);
    const old = start(ledger, "a", 0);
    start(ledger, "b", 500);
    expect(ledger.late("c", false, 900, 1_000)).toBeUndefined();
    expect(ledger.late("c", false, 1_600, 1_000)).toBe(old.chunk);
    expect(ledger.late("a", false, 1_600, 1_000)?.index).toBe(1);
    ledger.start(old.chunk, attemptOf("c", 1_600));
    expect(ledger.late("self", true, 3_000, 1_000)?.index).toBe(1);
    expect(ledger.late("self", true, 6_000, 1_000)).toBe(old.chunk);
  });

  test("finishing cancels the other copies, and leaving what a node had", () => {
    const ledger = filled(2);
    const [one, two] = [start(ledger, "a"), start(ledger, "a")];
    const copy = attemptOf("b");
    ledger.start(one.chunk, copy);
    expect(ledger.finish(one.chunk, copy)).toBe(true);
    expect([one.attempt.cancelled, copy.cancelled]).toEqual([true, false]);
    expect(ledger.finish(one.chunk, one.attempt)).toBe(false);
    ledger.withdraw("a");
    expect(two.attempt.cancelled).toBe(true);
    ledger.giveBack(two.chunk, two.attempt);
    expect(ledger.waiting).toBe(1);
  });
});
