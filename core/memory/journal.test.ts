/** What a kept map has after a crash at any of its writes: the map of some moment, with every batch whole. */
import { describe, expect, test } from "vitest";
import { encode } from "../base/codec.ts";
import { MemoryStore } from "../platform/memory-store.ts";
import { realClock } from "../platform/clock.ts";
import { StarfishError } from "../base/errors.ts";
import { silentLog } from "../ports/log.ts";
import { DIGEST_KEY, HORIZON_MS } from "./entries.fixture.ts";
import { Journal } from "./journal.ts";
import { Packer } from "./pack.ts";
import { Replica } from "./replica.ts";

function replicaOf(self: number): Replica {
  return new Replica(
    { digestKey: DIGEST_KEY, self, bytesMax: 1e9, horizonMs: HORIZON_MS },
    { now: () => Date.now(), isKnown: () => true, trouble: () => undefined },
  );
}

/** A disk whose machine goes off at the write of this number. */
class FailingStore extends MemoryStore {
  left: number;
  /** Called before each write. */
  onWrite: () => void = () => {};

  constructor(disk: Map<string, Uint8Array>, left = Infinity) {
    super(disk);
    this.left = left;
  }

  override async set(key: string, value: Uint8Array): Promise<void> {
    this.onWrite();
    if (--this.left < 0) throw new StarfishError("io", "The machine is off");
    await super.set(key, value);
  }

  override async delete(key: string): Promise<void> {
    if (--this.left < 0) throw new StarfishError("io", "The machine is off");
    await super.delete(key);
  }
}

async function loaded(disk: Map<string, Uint8Array>): Promise<Replica> {
  const replica = replicaOf(1);
  await new Journal("test", replica, { store: new MemoryStore(disk), clock: realClock, log: silentLog }).load();
  return replica;
}

const LETTERS = ["a", "b", "c", "d"];
/**
 * The four keys of a batch lie in segments of their own: each value is as large as a value may be, and more between.
 */
const writeAll = (replica: Replica, round: number): void => {
  for (const part of [0, 1, 2, 3]) {
    replica.write([
      ...LETTERS.map((letter) => ({ key: `${letter}/${part}`, value: round })),
      ...Array.from({ length: 3 }, (_, i) => ({ key: `${LETTERS[part]}/fill/${i}`, value: "x".repeat(60_000) })),
    ]);
  }
};

function roundsIn(replica: Replica): unknown[] {
  const seen: unknown[] = [];
  for (const part of [0, 1, 2, 3]) {
    const values = new Set(LETTERS.map((letter) => replica.entry(`${letter}/${part}`)?.value));
    expect([...values]).toHaveLength(1);
    seen.push(...values);
  }
  return seen;
}

describe("a journal", () => {
  test("takes in no more than some thousand entries between two reads, however many there are", async () => {
    const disk = new Map<string, Uint8Array>();
    const before = replicaOf(1);
    const journal = new Journal("test", before, { store: new MemoryStore(disk), clock: realClock, log: silentLog });
    const COUNT = 40_000;
    for (let i = 0; i < COUNT; i += 1_000) {
      const keys = Array.from({ length: 1_000 }, (_, j) => `some/table/${String(i + j).padStart(9, "0")}`);
      before.write(keys.map((key) => ({ key, value: "x".repeat(19) })));
      journal.add(keys);
    }
    await journal.close();

    const after = replicaOf(2);
    let most = 0;
    let last = 0;
    const look = (): void => {
      most = Math.max(most, after.table.live - last);
      last = after.table.live;
    };
    class ReadStore extends MemoryStore {
      override get(key: string): Promise<Uint8Array | undefined> {
        look();
        return super.get(key);
      }
    }
    await new Journal("test", after, { store: new ReadStore(disk), clock: realClock, log: silentLog }).load();
    look();
    expect(after.count("some/")).toBe(COUNT);
    expect(most).toBeLessThan(8_000);
  });

  test("gives back whole batches after a crash at any write, also while it is written anew", async () => {
    const stored = new Set<unknown>();
    for (let crash = 1; crash < 40; crash += 2) {
      const disk = new Map<string, Uint8Array>();
      const store = new FailingStore(disk, crash);
      const replica = replicaOf(1);
      const journal = new Journal("test", replica, { store, clock: realClock, log: silentLog });
      let round = 0;
      // What is written while the segments before it are on their way belongs to the same moment or to the next.
      store.onWrite = () => void (round % 3 === 2 && replica.write([{ key: "between", value: round }]));
      replica.onApplied(({ keys }) => journal.add(keys));
      try {
        for (round = 1; round < 9; round++) {
          writeAll(replica, round);
          await journal.flush();
        }
      } catch (error) {
        expect(error).toMatchObject({ code: "io" });
      }
      store.left = 0;
      for (const seen of roundsIn(await loaded(disk))) stored.add(seen);
      await journal.close().catch(() => {});
    }
    expect(stored.size).toBeGreaterThan(4);
  });

  test("counts what changes while it is written anew to what is written", async () => {
    const disk = new Map<string, Uint8Array>();
    const store = new FailingStore(disk);
    const replica = replicaOf(1);
    const journal = new Journal("test", replica, { store, clock: realClock, log: silentLog });
    replica.onApplied(({ keys }) => journal.add(keys));
    let round = 1;
    writeAll(replica, round);
    // Each segment that is written is one behind by then.
    let again = 3;
    store.onWrite = () => {
      if (again-- > 0) writeAll(replica, ++round);
    };
    await journal.flush();
    expect(roundsIn(await loaded(disk))).toEqual([round, round, round, round]);
    await journal.close();
  });

  test("of the version before, which said nothing of groups, is read", async () => {
    const packer = new Packer();
    const replica = replicaOf(1);
    const disk = new Map<string, Uint8Array>();
    for (const [number, key] of ["x", "y"].entries()) {
      replica.write([{ key, value: number }]);
      const keyed = replica.keyed(key);
      if (keyed !== undefined) packer.add(key, keyed.entry);
      disk.set(`memory/test/${number}`, encode({ first: 0, entries: packer.take() }));
    }
    const read = await loaded(disk);
    expect([read.entry("x")?.value, read.entry("y")?.value]).toEqual([0, 1]);
  });

  test("passes over segments with names and numbers that it never gives, and goes on", async () => {
    const disk = new Map<string, Uint8Array>();
    const replica = replicaOf(1);
    const journal = new Journal("test", replica, { store: new MemoryStore(disk), clock: realClock, log: silentLog });
    writeAll(replica, 1);
    journal.add([...replica.table.keys("")]);
    await journal.close();
    const after = disk.size;
    const entries = new Packer().take();
    disk.set("memory/test/zzzzzzzzzzzz", encode({ first: 0, entries, group: 0, last: true }));
    disk.set("memory/test/what", new Uint8Array(3));
    disk.set(`memory/test/${after.toString(36)}`, encode({ first: 0, entries, group: after + 5, last: true }));
    disk.set(
      `memory/test/${(after + 1).toString(36)}`,
      encode({ first: 2 ** 50, entries, group: after + 1, last: true }),
    );
    expect(roundsIn(await loaded(disk))).toEqual([1, 1, 1, 1]);
  });
});
