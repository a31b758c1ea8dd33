/** What a relay, strangers and malicious members can do to a code: end it, and nothing else. */
import { describe, expect, test } from "vitest";
import { extremesOf } from "../../../test/adversary/extremes.ts";
import { samplesOf } from "../../../test/adversary/samples.ts";
import { CodeLab, collecting, isSame, type Tamper } from "../../../test/sim/code-lab.ts";
import { seeds } from "../../../test/sim/seeds.ts";
import { noise, sourceOf } from "../../../test/sim/transfer-lab.ts";
import { text, utf8 } from "../../base/bytes.ts";
import { encode } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { SEED_BYTES, scalarOf, shareOf } from "./cpace.ts";
import {
  FIRST_WORD_MS,
  MEET_MS,
  CARRIED_MAX,
  CARRIED_PER_MEMBER_MAX,
  RECEIVER_BYTES_MAX,
  STRANGERS_MAX,
  TRIES_OF_PLACE_MAX,
} from "./limits.ts";
import { CODE_PROTOCOL, replySchema, SCHEMAS, SESSION_BYTES, STRANGER_PROTOCOL } from "./wire.ts";

const BYTES = noise(1_200_000);
const FILES = new Map([
  ["d/name of a secret", BYTES.slice(0, 900_000)],
  ["d/b", BYTES.slice(900_000)],
]);

type Fault = (message: Uint8Array, held: Uint8Array[]) => readonly Uint8Array[];

const FAULTS: Readonly<Record<string, Fault>> = {
  alters: (message) => {
    const altered = message.slice();
    altered[altered.length >> 1] = (altered[altered.length >> 1] ?? 0) ^ 1;
    return [altered];
  },
  truncates: (message) => [message.slice(0, -1)],
  drops: () => [],
  repeats: (message) => [message, message],
  "makes up": (message) => [noise(message.length, 9), message],
  // Until the next one has passed.
  reorders: (message, held) => {
    held.push(message);
    return [];
  },
};

/** Applies a fault to one message of a direction. */
function tampering(fault: Fault, direction: "in" | "out", at: number): Tamper {
  const held: Uint8Array[] = [];
  return (message, way, index) => {
    if (way !== direction) return [message];
    if (index === at) return fault(message, held);
    return [message, ...held.splice(0)];
  };
}

/**
 * For each direction the positions of: share, confirmation, the offer or its answer, a piece or its acknowledgement.
 */
const PLACES = { in: [0, 1, 2, 4], out: [1, 2, 4, 5] } as const;

describe.each(Object.keys(FAULTS))("a relay that %s", (name) => {
  test.each(seeds(1, 5))("gets nothing wrong through, and nobody to believe what is not so (seed %i)", async (seed) => {
    const fault = FAULTS[name];
    if (fault === undefined) throw new Error("no such fault");
    const lab = await CodeLab.open(seed);
    for (const direction of ["in", "out"] as const) {
      for (const place of PLACES[direction]) {
        const at = seed === 1 ? place : place + seed;
        const offered = await lab.offer("member", sourceOf(FILES));
        const { files, consume } = collecting();
        const stop = new AbortController();
        const fetching = lab
          .find(offered.code, tampering(fault, direction, at))
          .then((found) => found.take(consume, { signal: stop.signal }));
        const [received, sent] = [outcomeOf(fetching), outcomeOf(offered.fetched)];
        await lab.swarm.world.runFor(60_000);
        // A message that is held back is waited for until the test ends that.
        const enough = new StarfishError("cancelled", "Enough");
        stop.abort(enough);
        offered.stop.abort(enough);
        const [got, gave] = await lab.swarm.settle(Promise.all([received, sent]), 60_000);
        if (gave === "whole") expect(got, `${direction} ${at}`).toBe("whole");
        if (got !== "whole") continue;
        for (const [path, bytes] of FILES)
          expect(isSame(files.get(path), bytes), `${direction} ${at} ${path}`).toBe(true);
      }
    }
  });
});

function outcomeOf(promise: Promise<void>): Promise<string> {
  return promise.then(
    () => "whole",
    (error: unknown) => {
      if (!(error instanceof StarfishError)) throw error;
      return error.code;
    },
  );
}

test("whoever carries it sees no run of 16 clear bytes of names or content", async () => {
  const lab = await CodeLab.open(1);
  const bytes = noise(60_000);
  const name = "a name that nobody else should see";
  const offered = await lab.offer("member", sourceOf(new Map([[name, bytes]])));
  const carried: Uint8Array[] = [];
  const tap: Tamper = (message) => {
    carried.push(message);
    return [message];
  };
  const got = await lab.swarm.settle(lab.fetch(offered.code, tap), 600_000);
  expect(isSame(got.get(name), bytes)).toBe(true);
  const runs = new Set<string>();
  for (const secret of [bytes, utf8(name)]) {
    const clear = Buffer.from(secret).toString("latin1");
    for (let at = 0; at + 16 <= clear.length; at++) runs.add(clear.slice(at, at + 16));
  }
  const seen = Buffer.concat(carried).toString("latin1");
  expect(seen.length).toBeGreaterThan(bytes.length);
  const clear: number[] = [];
  for (let at = 0; at + 16 <= seen.length; at++) if (runs.has(seen.slice(at, at + 16))) clear.push(at);
  expect(clear).toEqual([]);
  expect(seen).not.toContain(offered.code.slice(2));
});

/** What an honest stranger would say. */
function samples(lab: CodeLab): Readonly<Record<"wantSchema" | "receiverSchema", unknown>> {
  const { crypto } = lab.swarm.world.node("page").ports;
  const keys = crypto.keyPair(new Uint8Array(32));
  const speaker = { crypto, keys, root: keys.publicKey, chain: [], victim: lab.node("page").net.self };
  const all = samplesOf({ ...speaker, map: "mem", layout: "l", cid: "c", nowMs: 1_000 });
  return {
    wantSchema: all["core/io/codes/wire.ts#wantSchema"],
    receiverSchema: all["core/io/codes/wire.ts#receiverSchema"],
  };
}

describe("strangers", () => {
  test("that say nothing, or not enough, are let go, and keep nobody out", async () => {
    const lab = await CodeLab.open(2);
    const offered = await lab.offer("member");
    const silent = Array.from({ length: 2 * STRANGERS_MAX }, () => lab.connect(undefined, "10.9.9.9"));
    let closed = 0;
    for (const socket of silent) {
      socket.onMessage(() => {});
      socket.onEnd(() => socket.end());
      socket.onClose(() => void closed++);
    }
    // One begins, and does not go on.
    const slow = lab.connect();
    slow.send(encode({ is: "want", number: 1 }));
    expect((await lab.swarm.settle(lab.fetch(offered.code), 60_000)).size).toBe(1);
    await lab.swarm.world.runUntil(() => closed === silent.length, { withinMs: FIRST_WORD_MS + MEET_MS });
  });

  test("that flood, or say what is no word of theirs, are cut off at once", async () => {
    const lab = await CodeLab.open(3);
    const offered = await lab.offer("member");
    for (const flood of [
      () => [new Uint8Array(RECEIVER_BYTES_MAX + 1)],
      () => Array.from({ length: 200 }, () => encode({ is: "want", number: 1 })),
      () => [utf8("GET / HTTP/1.1")],
      () => [encode({ is: "want", number: 1 }), ...Array.from({ length: 200 }, () => new Uint8Array(1_000))],
      () => [encode({ is: "want", number: 77 })],
    ]) {
      const socket = lab.connect();
      let isOver = false;
      socket.onMessage(() => {});
      socket.onEnd(() => {
        isOver = true;
        socket.end();
      });
      socket.onClose(() => void (isOver = true));
      for (const message of flood()) socket.send(message);
      await lab.swarm.world.runUntil(() => isOver, { withinMs: 1_000 });
    }
    expect(offered.told.at(-1)).toMatchObject({ wrong: 0 });
    expect((await lab.swarm.settle(lab.fetch(offered.code), 60_000)).size).toBe(1);
  });

  /** Asks for the code, and breaks off as soon as it is answered. `told` hears whether it was refused. */
  function begin(lab: CodeLab, place: string, told: (isRefused: boolean) => void): void {
    const socket = lab.connect(undefined, place);
    let isHeard = false;
    socket.onMessage((message) => {
      if (isHeard) return;
      isHeard = true;
      socket.cut();
      told(text(message).includes("refuse"));
    });
    socket.send(encode({ is: "want", number: 1 }));
    socket.send(encode(samples(lab).receiverSchema));
  }

  test("that begin again and again without a guess keep out only who comes from the same address", async () => {
    const lab = await CodeLab.open(7);
    const offered = await lab.offer("member");
    const refused: boolean[] = [];
    for (let i = 1; i <= 2 * TRIES_OF_PLACE_MAX; i++) {
      begin(lab, "10.9.9.9", (isRefused) => refused.push(isRefused));
      await lab.swarm.world.runUntil(() => refused.length === i, { withinMs: 5_000 });
    }
    expect(refused).toEqual(refused.map((_, i) => i >= TRIES_OF_PLACE_MAX));
    // From many addresses, each again as soon as it has been answered.
    const again = (place: string): void => begin(lab, place, (isRefused) => isRefused || again(place));
    for (let i = 0; i < 20; i++) again(`10.8.0.${i}`);
    expect((await lab.swarm.settle(lab.fetch(offered.code), 60_000)).size).toBe(1);
    expect(offered.told.at(-1)).toMatchObject({ wrong: 0 });
  });

  test("that say the extremes of every word get no answer but a refusal", async () => {
    const lab = await CodeLab.open(4);
    const says = samples(lab);
    await lab.offer("member");
    let said = 0;
    for (const name of ["wantSchema", "receiverSchema"] as const) {
      const schema = SCHEMAS[name];
      if (schema === undefined) throw new Error(`There is no schema ${name}`);
      const values = [...extremesOf(schema, says[name])].filter((_, i) => i % 3 === 0);
      for (const { value } of values) {
        const socket = lab.connect();
        const answers: Uint8Array[] = [];
        socket.onMessage((message) => void answers.push(message));
        if (name === "receiverSchema") socket.send(encode({ is: "want", number: 1 }));
        socket.send(encode(value));
        await lab.swarm.world.runFor(100);
        said++;
        expect(answers.length).toBeLessThanOrEqual(1);
        socket.cut();
      }
    }
    expect(said).toBeGreaterThan(20);
  });
});

describe("members", () => {
  test("bring nobody to a code that is held elsewhere, and end none that is not theirs", async () => {
    const lab = await CodeLab.open(5);
    const offered = await lab.offer("member");
    const mallory = await lab.swarm.up("mallory", { invite: lab.node("page").net.invite() });
    await lab.swarm.agreement(20_000);
    const { self } = lab.node("member").net;
    const channel = await lab.swarm.settle(mallory.open(self, STRANGER_PROTOCOL));
    const answers: string[] = [];
    channel.onMessage((message) => void answers.push(text(message)));
    channel.send(encode({ is: "stranger", number: 1 }));
    await lab.swarm.world.runUntil(() => answers.length > 0, { withinMs: 5_000 });
    expect(answers[0]).toContain("knows nothing of this code");
    const page = lab.node("page").net.self;
    const drop = { ask: "drop", number: 1, why: "cancelled" };
    await lab.swarm.settle(mallory.request(page, CODE_PROTOCOL, drop, replySchema));
    const hold = { ask: "hold", number: 1, forMs: 1_000 };
    expect(await lab.swarm.failure(mallory.request(page, CODE_PROTOCOL, hold, replySchema))).toMatchObject({
      code: "closed",
    });
    expect((await lab.swarm.settle(lab.fetch(offered.code), 60_000)).size).toBe(1);
  });

  test("that serve the page can guess three times like anybody, and are counted", async () => {
    const lab = await CodeLab.open(6);
    const offered = await lab.offer("member");
    const { net } = lab.node("page");
    const { self } = lab.node("member").net;
    for (let i = 0; i < 3; i++) {
      const channel = await lab.swarm.settle(net.open(self, STRANGER_PROTOCOL));
      let isOver = false;
      channel.onMessage((message) => {
        const words = text(message);
        if (words.includes("refuse")) isOver = true;
        else channel.send(encode({ is: "confirm", tag: new Uint8Array(32) }));
      });
      channel.send(encode({ is: "stranger", number: 1 }));
      channel.send(encode(samples(lab).receiverSchema));
      await lab.swarm.world.runUntil(() => isOver, { withinMs: 5_000 });
    }
    expect(await lab.swarm.failure(offered.fetched)).toMatchObject({
      code: "refused",
      message: expect.stringContaining("3 wrong guesses"),
    });
  });
});

describe("strangers that make a sender work and prove nothing", () => {
  /** A stranger that asks for the code, sends a share, and then nothing more. */
  function stall(lab: CodeLab): void {
    const socket = lab.connect();
    socket.onMessage(() => {});
    socket.onEnd(() => socket.end());
    socket.onClose(() => {});
    socket.send(encode({ is: "want", number: 1 }));
    const { random } = lab.stranger.ports;
    const input = { password: utf8("no idea"), channel: utf8("x"), session: random.bytes(SESSION_BYTES) };
    const share = shareOf(input, scalarOf(random.bytes(SEED_BYTES)));
    socket.send(encode({ is: "share", session: input.session, share, again: false }));
  }

  test("keep nobody out who knows the words", async () => {
    const lab = await CodeLab.open(8);
    const offered = await lab.offer("member");
    // As many as there can be, each from another address.
    for (let i = 1; i < STRANGERS_MAX; i++) stall(lab);
    await lab.swarm.world.runFor(1_000);
    expect((await lab.swarm.settle(lab.fetch(offered.code), 60_000)).size).toBe(1);
    expect(offered.told.at(-1)).toMatchObject({ wrong: 0 });
  });
});

test("members who bring strangers of their own leave the others their share of what a node carries", async () => {
  const lab = await CodeLab.open(9);
  const invite = lab.node("page").net.invite();
  const hostile = CARRIED_MAX / CARRIED_PER_MEMBER_MAX;
  for (let i = 0; i < hostile; i++) await lab.up(`hostile ${i}`, invite);
  await lab.swarm.agreement(60_000);
  for (let i = 0; i < CARRIED_MAX; i++) {
    const { code } = await lab.offer(`hostile ${i % hostile}`);
    // It has proven that it knows the words, and then says nothing more.
    await lab.swarm.settle(lab.find(code), 60_000);
  }
  const offered = await lab.offer("member");
  expect((await lab.swarm.settle(lab.fetch(offered.code), 60_000)).size).toBe(1);
  await lab.swarm.settle(offered.fetched, 60_000);
});
