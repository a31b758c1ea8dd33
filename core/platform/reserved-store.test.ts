/** The store with room in reserve: what was accepted is stored on a full disk, and nothing new is accepted then. */
import { beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { silentLog } from "../ports/log.ts";
import { storeContract } from "../ports/store.contract.ts";
import type { Store } from "../ports/store.ts";
import { MemoryStore } from "./memory-store.ts";
import { reservedStore } from "./reserved-store.ts";

const RESERVE_BYTES = 1_000;

/** A store on a disk of so many bytes. */
class SmallStore extends MemoryStore {
  readonly disk: Map<string, Uint8Array>;
  sizeBytes: number;

  constructor(disk: Map<string, Uint8Array>, sizeBytes: number) {
    super(disk);
    this.disk = disk;
    this.sizeBytes = sizeBytes;
  }

  override async set(key: string, value: Uint8Array): Promise<void> {
    let used = value.length;
    for (const [name, bytes] of this.disk) if (name !== key) used += bytes.length;
    if (used > this.sizeBytes) throw new StarfishError("io", "The disk is full");
    await super.set(key, value);
  }
}

storeContract("with a reserve", async () => {
  const disk = new Map<string, Uint8Array>();
  const open = (): Promise<Store> =>
    reservedStore(new MemoryStore(disk), { bytes: RESERVE_BYTES, log: silentLog }).then(withoutReserve);
  return { open, destroy: async () => {} };
});

/** The store as its owner sees it, without the reserve's own keys. */
function withoutReserve(store: Store): Store {
  return {
    get: (key) => store.get(key),
    set: (key, value) => store.set(key, value),
    delete: (key) => store.delete(key),
    keys: async (prefix) => (await store.keys(prefix)).filter((key) => !key.startsWith("reserve/")),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

describe("a disk that gets full", () => {
  let small: SmallStore;
  let told: string[];
  const open = (): Promise<Store> =>
    reservedStore(small, {
      bytes: RESERVE_BYTES,
      log: { write: (_, event) => void told.push(event) },
    });

  beforeEach(() => {
    small = new SmallStore(new Map(), 2_000);
    told = [];
  });

  it("takes what was accepted, refuses what is new, and takes it again when there is room", async () => {
    const store = await open();
    await store.check?.();
    await store.set("fill", new Uint8Array(990));
    await store.check?.();
    // Accepted before anybody knew: all of it is stored, in its order.
    await Promise.all([
      store.set("a", new Uint8Array(300)),
      store.set("b", new Uint8Array(300)),
      store.set("a", new Uint8Array(200)),
    ]);
    expect(told).toEqual(["store.full"]);
    expect((await store.get("a"))?.length).toBe(200);
    expect((await store.get("b"))?.length).toBe(300);
    await expect(store.check?.()).rejects.toThrow("The disk is full");
    await expect(store.set("c", new Uint8Array(600))).rejects.toMatchObject({ code: "io" });
    small.sizeBytes = 10_000;
    await store.check?.();
    await store.set("c", new Uint8Array(600));
    small.sizeBytes = 3_100;
    await store.set("d", new Uint8Array(900));
    expect(told).toEqual(["store.full", "store.full"]);
  });

  it("at its opening is told, and does not keep it from being read", async () => {
    small.sizeBytes = 500;
    await small.set("a", utf8("there"));
    const store = await open();
    expect(told).toEqual(["store.full"]);
    expect(await store.get("a")).toEqual(utf8("there"));
    await expect(store.check?.()).rejects.toMatchObject({ code: "io" });
    small.sizeBytes = 5_000;
    await store.check?.();
    // The next one finds the room held already.
    small.sizeBytes = 0;
    const next = await open();
    await next.check?.();
    expect(told).toEqual(["store.full"]);
  });

  it("is told from one whose content was taken away", async () => {
    const store = await open();
    await store.set("a", utf8("x"));
    small.disk.clear();
    await expect(store.check?.()).rejects.toThrow("has deleted");
  });
});
