import { expect, test } from "vitest";
import type { PeerId } from "../../ports/network.ts";
import type { JobProgress } from "../../jobs/types.ts";
import { text, utf8 } from "../../base/bytes.ts";
import { sinkTo } from "../sink.ts";
import { ProgressLine } from "./progress.ts";

function progress(chunksDone: number): JobProgress {
  return {
    chunksDone,
    chunksTotal: 64,
    reading: false,
    chunksRunning: 0,
    byPeer: new Map(),
    reissued: 0,
    elapsedMs: 2_000,
    ratePerSecond: 32,
    remainingMs: 0,
  };
}

test("what is told of a job after its end neither draws the line again nor says twice what the job took", async () => {
  let nowMs = 0;
  let shown = "";
  const sink = sinkTo({ write: async (bytes) => void (shown += text(bytes)) }, () => true);
  const clock = { now: () => nowMs, monotonic: () => nowMs, timer: () => ({ cancel: () => {} }) };
  const terminal = { columns: 80, rows: 24, colours: false, pictures: "blocks" } as const;
  const line = new ProgressLine({ clock, net: { member: () => undefined } }, "primes", sink, () => terminal);
  line.update(progress(32));
  line.finish();
  nowMs += 1_000;
  line.update(progress(64));
  line.finish();
  await sink.write(utf8("2262\n"));
  await sink.flush();
  expect(shown.replaceAll("\r\x1b[K", "|")).toBe(
    "|primes 32/64 chunks, 32/s, 1.0 s left|primes: 32 chunks in 2.0 s.\n2262\n",
  );
});

test("on a narrow terminal the words about a job are broken between words", () => {
  let shown = "";
  const sink = sinkTo({ write: async (bytes) => void (shown += text(bytes)) }, () => true);
  const clock = { now: () => 0, monotonic: () => 0, timer: () => ({ cancel: () => {} }) };
  const terminal = { columns: 30, rows: 24, colours: false, pictures: "blocks" } as const;
  const line = new ProgressLine({ clock, net: { member: () => undefined } }, "primes", sink, () => terminal);
  line.update({ ...progress(32), reissued: 7, byPeer: new Map([["peer" as PeerId, 32]]) });
  line.finish();
  expect(shown.split("\r\x1b[K").at(-1)?.split("\n")).toEqual([
    "primes: 32 chunks in 2.0 s, 7",
    "of them more than once.",
    "  ● somebody who left 32",
    "",
  ]);
});
