/**
 * TinyBase: a local-first store whose rows merge cell by cell. Both stores are in this thread and joined without a
 * network between them. It has no SQL: the scan is a loop over its rows.
 */
import { createMergeableStore } from "tinybase";
import { createLocalSynchronizer } from "tinybase/synchronizers/synchronizer-local";
import type { Other } from "../other.ts";
import { rowsOf } from "../rows.ts";

export const other: Other = {
  async measure(rows) {
    const [first, second] = [createMergeableStore("first"), createMergeableStore("second")];
    const ends = [createLocalSynchronizer(first), createLocalSynchronizer(second)];
    for (const end of ends) await end.startSync();
    const arrived = new Promise<void>((resolve) => {
      second.addTableListener("t", () => {
        if (second.getRowCount("t") === rows) resolve();
      });
    });
    const start = performance.now();
    first.transaction(() => {
      for (const [id, name, g, n, r] of rowsOf(0, rows)) {
        first.setRow("t", String(id), { name: String(name), g: Number(g), n: Number(n), r: Number(r) });
      }
    });
    const insertMs = performance.now() - start;
    await arrived;
    const secondMs = performance.now() - start;
    const asked = performance.now();
    let sum = 0;
    first.forEachRow("t", (id) => {
      const n = Number(first.getCell("t", id, "n"));
      if (n % 7 === 3) sum += n;
    });
    const scanMs = performance.now() - asked;
    for (const end of ends) await end.destroy();
    if (sum === 0) throw new Error("There was nothing to add");
    return { insertMs, scanMs, secondMs };
  },
};
