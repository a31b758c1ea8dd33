/** Codes for somebody who is no member: who fetches what, how often, and what everybody else is told. */
import { describe, expect, test } from "vitest";
import {
  CodeLab,
  collecting,
  isSame,
  type Offered,
  otherWords,
  type StrangerSocket,
} from "../../../test/sim/code-lab.ts";
import { noise, sourceOf } from "../../../test/sim/transfer-lab.ts";
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { CODE_MS, CODES_PER_MEMBER_MAX, HELD_MS, LOST_MS } from "./limits.ts";

const BYTES = noise(3_000_000);

/** How the code ended at the sender. Resolves once it has ended. */
async function outcome(lab: CodeLab, { fetched }: Offered): Promise<string> {
  return await lab.swarm.settle(
    fetched.then(
      () => "fetched",
      (error: unknown) => (error instanceof StarfishError ? error.code : String(error)),
    ),
    2 * CODE_MS,
  );
}

describe.each(["page", "member"] as const)("a code of the %s", (from) => {
  test("brings files, folders and bytes as they were, once", async () => {
    const lab = await CodeLab.open(1);
    const files = new Map([
      ["d/a.txt", utf8("hello\n")],
      ["d/empty", utf8("")],
      ["d/large", BYTES],
    ]);
    const offered = await lab.offer(from, sourceOf(files, { folders: ["d", "d/none"] }));
    expect(offered.code).toMatch(/^1-[a-z]+-[a-z]+-[a-z]+$/);
    expect(offered.link).toBe(`http://page.example:4500/#code=${offered.code}`);
    const found = await lab.swarm.settle(lab.find(offered.code));
    expect(found.offer).toMatchObject({ title: "d", files: 3, folders: 2, totalBytes: BYTES.length + 6 });
    await lab.swarm.world.runFor(1_000);
    expect(offered.told.at(-1)).toMatchObject({ state: "looking", wrong: 0, doneBytes: 0 });
    const { files: got, consume } = collecting();
    const progress: number[] = [];
    const taken = found.take(consume, {
      signal: new AbortController().signal,
      onProgress: ({ doneBytes }) => void progress.push(doneBytes),
    });
    await lab.swarm.settle(taken, 600_000);
    expect([...got.keys()]).toEqual(["d", "d/none", "d/a.txt", "d/empty", "d/large"]);
    for (const [path, bytes] of files) expect(isSame(got.get(path), bytes), path).toBe(true);
    expect(progress.at(-1)).toBe(BYTES.length + 6);
    expect(await outcome(lab, offered)).toBe("fetched");
    expect(offered.told.at(-1)).toMatchObject({ state: "sending", doneBytes: BYTES.length + 6 });
    // The second use.
    const { code, message } = await lab.refusal(offered.code);
    expect({ code, message }).toEqual({ code: "closed", message: expect.stringContaining("has been used") });
  });

  test("is ended by the third wrong guess, which gets no more than the first", async () => {
    const lab = await CodeLab.open(2);
    const offered = await lab.offer(from);
    const wrong = otherWords(offered.code);
    expect(await lab.refusal(wrong)).toMatchObject({ code: "refused", message: expect.stringContaining("2 more") });
    expect(await lab.refusal(wrong)).toMatchObject({ code: "refused", message: expect.stringContaining("One more") });
    expect(offered.told.at(-1)).toMatchObject({ state: "open", wrong: 2 });
    expect(await lab.refusal(wrong)).toMatchObject({ code: "closed", message: expect.stringContaining("three times") });
    expect(await outcome(lab, offered)).toBe("refused");
    expect(await lab.refusal(offered.code)).toMatchObject({ code: "closed" });
  });

  test("counts no more than three guesses, however many try at once", async () => {
    const lab = await CodeLab.open(3);
    const offered = await lab.offer(from);
    const wrong = otherWords(offered.code);
    const tried = Array.from({ length: 8 }, () => lab.fetch(wrong).then(String, (error: StarfishError) => error.code));
    const codes = await lab.swarm.settle(Promise.all(tried), 60_000);
    expect(codes.filter((code) => !["refused", "closed", "busy", "link-closed"].includes(code))).toEqual([]);
    expect(codes.filter((code) => code === "refused").length).toBeLessThanOrEqual(2);
    expect(await outcome(lab, offered)).toBe("refused");
  });

  test("runs out after an hour, which both are told", async () => {
    const lab = await CodeLab.open(4);
    const offered = await lab.offer(from);
    await lab.swarm.world.runFor(CODE_MS - 20_000);
    expect((await lab.swarm.settle(lab.find(offered.code))).offer.files).toBe(1);
    await lab.swarm.world.runFor(40_000);
    expect(await outcome(lab, offered)).toBe("timeout");
    expect(await lab.refusal(offered.code)).toMatchObject({
      code: "closed",
      message: expect.stringContaining("an hour"),
    });
  });

  test("is taken back by its sender, and given back by its receiver", async () => {
    const lab = await CodeLab.open(5);
    const taken = await lab.offer(from);
    taken.stop.abort(new StarfishError("cancelled", "Ctrl-C"));
    expect(await outcome(lab, taken)).toBe("cancelled");
    await lab.swarm.world.runFor(1_000);
    expect(await lab.refusal(taken.code)).toMatchObject({ code: "closed", message: expect.stringContaining("back") });
    const given = await lab.offer(from);
    (await lab.swarm.settle(lab.find(given.code))).refuse();
    expect(await outcome(lab, given)).toBe("refused");
  });

  test("ends on both sides when either stops it half-way, and nothing more comes", async () => {
    for (const who of ["sender", "receiver"] as const) {
      const lab = await CodeLab.open(6);
      const source = sourceOf(new Map([["x", BYTES]]), { pause: () => lab.pause(50) });
      const offered = await lab.offer(from, source);
      const found = await lab.swarm.settle(lab.find(offered.code));
      const stop = new AbortController();
      const taking = found.take(collecting().consume, { signal: stop.signal });
      taking.catch(() => {});
      const isUnderWay = (): boolean => (offered.told.at(-1)?.doneBytes ?? 0) > 0;
      await lab.swarm.world.runUntil(isUnderWay, { withinMs: 60_000 });
      (who === "sender" ? offered.stop : stop).abort(new StarfishError("cancelled", "Ctrl-C"));
      expect(await lab.swarm.failure(taking)).toMatchObject({ code: "cancelled" });
      expect(await outcome(lab, offered)).toBe("cancelled");
    }
  });

  test("goes on with the same receiver when the link breaks, and with nobody else", async () => {
    const lab = await CodeLab.open(7);
    const source = sourceOf(new Map([["x", BYTES]]), { pause: () => lab.pause(50) });
    const offered = await lab.offer(from, source);
    const sockets: StrangerSocket[] = [];
    const finding = lab.find(offered.code, undefined, (socket) => void sockets.push(socket));
    const found = await lab.swarm.settle(finding);
    const { files, consume } = collecting();
    const taking = found.take(consume, { signal: new AbortController().signal });
    for (const bytes of [600_000, 1_800_000]) {
      await lab.swarm.world.runUntil(() => (offered.told.at(-1)?.doneBytes ?? 0) > bytes, { withinMs: 60_000 });
      sockets.at(-1)?.cut();
      expect(await lab.refusal(offered.code)).toMatchObject({
        code: "closed",
        message: expect.stringContaining("has been used"),
      });
    }
    await lab.swarm.settle(taking, 600_000);
    expect(isSame(files.get("x"), BYTES)).toBe(true);
    expect(await outcome(lab, offered)).toBe("fetched");
    // Read once: what came before the breaks did not come again.
    expect(offered.told.some(({ state }) => state === "interrupted")).toBe(true);
  });

  test("whose receiver does not come back has not arrived, which the sender is told", async () => {
    const lab = await CodeLab.open(8);
    const source = sourceOf(new Map([["x", BYTES]]), { pause: () => lab.pause(50) });
    const offered = await lab.offer(from, source);
    let socket: StrangerSocket | undefined;
    const found = await lab.swarm.settle(lab.find(offered.code, undefined, (seen) => void (socket = seen)));
    void found.take(collecting().consume, { signal: new AbortController().signal }).catch(() => {});
    await lab.swarm.world.runUntil(() => (offered.told.at(-1)?.doneBytes ?? 0) > 0, { withinMs: 60_000 });
    socket?.cut();
    await lab.swarm.world.runFor(10);
    lab.swarm.world.crash("stranger");
    await lab.swarm.world.runFor(LOST_MS + 5_000);
    expect(await outcome(lab, offered)).toBe("unreachable");
  });

  test("may be looked at again by who comes with the words, as long as nobody has begun", async () => {
    const lab = await CodeLab.open(9);
    const offered = await lab.offer(from);
    const first = await lab.swarm.settle(lab.find(offered.code));
    await lab.swarm.settle(lab.find(offered.code));
    const got = await lab.swarm.settle(lab.fetch(offered.code), 60_000);
    expect(isSame(got.get("notes.txt"), noise(700_000))).toBe(true);
    expect(await outcome(lab, offered)).toBe("fetched");
    expect(
      await lab.swarm.failure(first.take(collecting().consume, { signal: new AbortController().signal })),
    ).toMatchObject({
      code: "closed",
    });
  });
});

test("a pipe goes no faster than it is taken, and ends when it ends", async () => {
  const lab = await CodeLab.open(10);
  let read = 0;
  const source = sourceOf(new Map([["stdin", noise(12_000_000)]]), {
    isPipe: true,
    pause: async () => void (read += 100_000),
  });
  const offered = await lab.offer("page", source);
  const found = await lab.swarm.settle(lab.find(offered.code));
  expect(found.offer.totalBytes).toBeUndefined();
  const go = Promise.withResolvers<void>();
  const { files, consume } = collecting();
  const taking = found.take(
    async (entries) => {
      await go.promise;
      await consume(entries);
    },
    { signal: new AbortController().signal },
  );
  await lab.swarm.world.runFor(30_000);
  expect(read).toBeLessThan(9_000_000);
  go.resolve();
  await lab.swarm.settle(taking, 600_000);
  expect(isSame(files.get("stdin"), noise(12_000_000))).toBe(true);
  expect(await outcome(lab, offered)).toBe("fetched");
});

test("what can't be kept by the receiver ends it with why, on both sides", async () => {
  const lab = await CodeLab.open(11);
  const offered = await lab.offer("member");
  const found = await lab.swarm.settle(lab.find(offered.code));
  const full: Parameters<typeof found.take>[0] = async (entries) => {
    for await (const _ of entries) throw new StarfishError("full", "The disk is full");
  };
  const taken = found.take(full, { signal: new AbortController().signal });
  expect(await lab.swarm.failure(taken)).toMatchObject({ message: "The disk is full" });
  await lab.swarm.failure(offered.fetched);
});

describe("a code of a member at the page of another", () => {
  test("is out of reach while the sender is, and found again", async () => {
    const lab = await CodeLab.open(12);
    const offered = await lab.offer("member");
    lab.swarm.world.partition([["page", "stranger"], ["member"]]);
    await lab.swarm.world.runFor(90_000);
    expect(offered.told.at(-1)?.isReachable).toBe(false);
    expect(["unreachable", "closed"]).toContain((await lab.refusal(offered.code)).code);
    lab.swarm.world.heal();
    await lab.swarm.world.runUntil(() => offered.told.at(-1)?.isReachable === true, { withinMs: HELD_MS });
    expect((await lab.swarm.settle(lab.fetch(offered.code), 60_000)).size).toBe(1);
    expect(await outcome(lab, offered)).toBe("fetched");
  });

  test("ends with a sender that is gone, in words", async () => {
    const lab = await CodeLab.open(13);
    const offered = await lab.offer("member");
    lab.swarm.world.crash("member");
    await lab.swarm.world.runFor(HELD_MS + 60_000);
    expect(await lab.refusal(offered.code)).toMatchObject({ code: "closed", message: expect.stringContaining("gone") });
  });

  test("outlives a node that starts again", async () => {
    const lab = await CodeLab.open(14);
    const offered = await lab.offer("member");
    lab.swarm.crash("page");
    lab.nodes.delete("page");
    await lab.swarm.world.runFor(5_000);
    await lab.up("page", lab.node("member").net.invite());
    await lab.swarm.world.runUntil(() => offered.told.at(-1)?.isReachable === true && lab.swarm.agrees(), {
      withinMs: HELD_MS,
    });
    await lab.swarm.world.runFor(35_000);
    expect((await lab.swarm.settle(lab.fetch(offered.code), 60_000)).size).toBe(1);
  });

  test("needs a node whose page that is", async () => {
    const lab = await CodeLab.open(15);
    const { codes } = lab.node("member");
    const source = sourceOf(new Map([["x", utf8("x")]]));
    const { code, message } = await lab.swarm.failure(codes.offer(source, { signal: new AbortController().signal }));
    expect({ code, message }).toEqual({
      code: "unsupported",
      message: expect.stringContaining("No node of this swarm serves this page"),
    });
  });
});

test("codes of a member are bounded, and those of a node; each has a number of its own", async () => {
  const lab = await CodeLab.open(16);
  const offered: Offered[] = [];
  for (let i = 0; i < CODES_PER_MEMBER_MAX; i++) offered.push(await lab.offer("member"));
  const source = sourceOf(new Map([["x", utf8("x")]]));
  const more = lab.node("member").codes.offer(source, { signal: new AbortController().signal });
  expect(await lab.swarm.failure(more)).toMatchObject({ code: "busy" });
  const numbers = offered.map(({ code }) => Number(code.split("-")[0]));
  expect(new Set(numbers).size).toBe(CODES_PER_MEMBER_MAX);
  const [first] = offered;
  first?.stop.abort(new StarfishError("cancelled", "Ctrl-C"));
  await lab.swarm.world.runFor(1_000);
  // The number of a code that is over is given to nobody for an hour.
  expect(Number((await lab.offer("member")).code.split("-")[0])).toBe(CODES_PER_MEMBER_MAX + 1);
});

describe("whoever knows the words", () => {
  test("and is replaced before a word is said, as by two tabs at once, ends nothing", async () => {
    const lab = await CodeLab.open(21);
    const offered = await lab.offer("member");
    await lab.swarm.world.runFor(60_000);
    const both = [lab.find(offered.code), lab.find(offered.code)];
    await lab.swarm.settle(Promise.allSettled(both), 60_000);
    expect((await lab.swarm.settle(lab.fetch(offered.code), 60_000)).size).toBe(1);
    expect(await outcome(lab, offered)).toBe("fetched");
  });
});
