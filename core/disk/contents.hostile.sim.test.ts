/**
 * A member claims impossible things about contents, to running nodes and in what they have stored. The others go on,
 * also after a restart.
 */
import { expect, test } from "vitest";
import { DiskSwarm } from "../../test/sim/contents.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { storeEntries } from "../../test/sim/stored-entries.ts";
import { SimWorld } from "../../test/sim/world.ts";
import { encode } from "../base/codec.ts";
import { toByteText } from "../memory/byte-text.ts";
import { LIVE } from "../memory/entry.ts";
import type { Keyed } from "../memory/pack.ts";
import { layoutFor } from "./code/layout.ts";
import { CONTENT_BYTES_MAX } from "./limits.ts";
import { listBytes } from "./code/shard-list.ts";

const CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
const OTHER = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const TERABYTE = { size: CONTENT_BYTES_MAX, code: [1, 1, 1, 0] };
const TERABYTE_LIST = { cid: OTHER, sizeBytes: listBytes({ sizeBytes: CONTENT_BYTES_MAX, code: layoutFor(1) }) };

const GHOST_BYTES: number = 2 ** 35;
const GHOST_LIST = { cid: OTHER, sizeBytes: listBytes({ sizeBytes: GHOST_BYTES, code: layoutFor(1) }) };

/** Entries, and whether they are to be set aside. */
const ENTRIES: readonly (readonly [key: string, value: unknown, isBad: boolean])[] = [
  [`c/${CID}/a0`, { size: Number.MAX_SAFE_INTEGER, code: [1, 2, 1, 0], list: new Uint8Array(64) }, true],
  [`c/${CID}/a1`, { ...TERABYTE, list: new Uint8Array(32) }, true],
  [`c/${CID}/a2`, { ...TERABYTE, size: 4_128, code: [28, 128, 1, 0], list: { cid: CID, sizeBytes: 4_128 } }, true],
  [`c/${CID}/a3`, { ...TERABYTE, list: TERABYTE_LIST, code: [64, 128, 2, 1] }, true],
  [`c/${CID}/a4`, undefined, true],
  ["p/1024", ["x"], true],
  ["p/5", Array.from({ length: 5_000 }, (_, i) => String(i)), true],
  ["d/nobody", [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER], true],
  // Well-formed entries that nobody can disprove: contents that nobody has, with a list that nobody has.
  ...Array.from(
    { length: 5 },
    (_, i) => [`c/${CID}/b${i}`, { ...TERABYTE, size: GHOST_BYTES, list: GHOST_LIST }, false] as const,
  ),
  [`c/${OTHER}/b5`, { ...TERABYTE, list: TERABYTE_LIST }, false],
];
const BAD: number = ENTRIES.filter(([, , isBad]) => isBad).length;

test.each(seeds(1, 20))(
  "contents go on while claims are made, and after a restart with them (seed %i)",
  async (seed) => {
    const swarm = new DiskSwarm(new SimWorld({ seed }));
    const [first, , mallory] = await swarm.grow(3);
    if (first === undefined || mallory === undefined) throw new Error("There are three nodes");
    const bytes = swarm.bytes(600_000);
    const before = await swarm.put(first, bytes);
    for (const [key, value] of ENTRIES) if (value !== undefined) mallory.layout.set(key, value);
    const isTold = (): boolean => swarm.nodes.every(({ contents }) => contents.use().setAside >= BAD - 1);
    await swarm.world.runUntil(isTold, { withinMs: 10_000, what: "what can't be is set aside everywhere" });
    await swarm.world.runFor(5_000);
    const during = await swarm.put(first, swarm.bytes(300_000));
    expect((await swarm.settle(first.contents.stat(during))).safety).toBe("safe");

    // The store also contains a value that no map would take in: it is no CBOR.
    const entries = ENTRIES.map(([key, value]): Keyed => {
      const packed = value === undefined ? "\u00ff" : toByteText(encode(value));
      const stamp = Math.floor(first.layout.now() + 1) * 2048;
      return {
        key,
        entry: { stamp, writer: 6, state: LIVE, value: packed, expiresAtMs: undefined },
        heldAtMs: undefined,
      };
    });
    await swarm.settle(storeEntries(first.machine.ports.store, "layout", entries));
    const { name } = first.machine;
    swarm.crash(name);
    const again = await swarm.settle(swarm.up({ name, kind: "node" }), 10_000);
    expect(again.contents.use().setAside).toBeGreaterThanOrEqual(BAD);
    await swarm.acquainted();
    const after = await swarm.put(again, swarm.bytes(200_000));
    for (const ref of [before, during, after])
      expect((await swarm.settle(again.contents.stat(ref))).safety).toBe("safe");
    await swarm.readsBack(swarm.nodes, [[before, bytes]]);
    // A read of what does not exist fails at once.
    const ghost = { cid: CID, sizeBytes: GHOST_BYTES };
    expect((await swarm.readFailure(again, ghost)).code).toBe("lost");
  },
);
