/** Two nodes code a content anew at the same time, because each takes the content to be its task. */
import { expect, test } from "vitest";
import { ReplicaMap, TestTime } from "../../../test/fixtures/replica-map.ts";
import { SimWorld } from "../../../test/sim/world.ts";
import { Catalogue, type Stored } from "../placement/catalogue.ts";
import { type Layout, layoutFor } from "../code/layout.ts";
import { Recode, type RecodeParts } from "./recode.ts";
import { listBytes } from "../code/shard-list.ts";

const CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
const DEVICES = 16;

test.each([
  [0, 1],
  [1, 0],
])("of two new layouts both leave the same one, whichever node is done first (%i, %i)", async (...order) => {
  const world = new SimWorld({ seed: 1 });
  const { clock, log } = world.spawn({ name: "m", kind: "node" }).ports;
  const time = new TestTime();
  const catalogue = new Catalogue(new ReplicaMap(1, time), clock);
  const write = (id: string, code: Layout): Stored => {
    time.nowMs += 100;
    catalogue.write({ cid: CID, id, sizeBytes: 100, code, list: new Uint8Array(listBytes({ sizeBytes: 100, code })) });
    const stored = catalogue.layout(id);
    if (stored === undefined) throw new Error("It was written");
    return stored;
  };
  write("old", layoutFor(3));
  const begun: (() => void)[] = [];
  const done: (() => void)[] = [];
  const recodes = ["one", "two"].map((self, i) => {
    const parts: Partial<RecodeParts> = {
      self,
      catalogue,
      clock,
      log,
      signal: new AbortController().signal,
      devices: { count: DEVICES, layout: layoutFor(DEVICES), isCut: false, nodes: () => [self] } as never,
      slots: { nameHash: () => 1 } as never,
      again: async () => {
        await new Promise<void>((resolve) => (begun[i] = resolve));
        const stored = write(self, layoutFor(DEVICES));
        await new Promise<void>((resolve) => (done[i] = resolve));
        return stored;
      },
    };
    return new Recode(parts as RecodeParts);
  });
  await world.runUntil(() => begun.length === 2, { withinMs: 120_000, what: "both have begun" });
  for (const write of begun) write();
  await world.runUntil(() => done.length === 2, { withinMs: 1_000, what: "both have written" });
  for (const i of order) {
    done[i]?.();
    await world.runFor(100);
  }
  expect(catalogue.layouts(CID).map(({ id }) => id)).toEqual(["two"]);
  for (const recode of recodes) recode.close();
});
