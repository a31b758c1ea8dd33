/** The parts that a database needs here: the real ones, without the rest of the computer. */
import type { createSql } from "../../core/db/sql.ts";
import type { ReplicatedMap } from "../../core/memory/types.ts";
import { realClock } from "../../core/platform/clock.ts";
import { silentLog } from "../../core/ports/log.ts";
import { nodeSqlEngine } from "../../node/sql-engine.ts";
import { SharedContents } from "../../test/fixtures/large-store.ts";

export function partsOf(map: ReplicatedMap): Parameters<typeof createSql>[0] {
  const contents = new SharedContents().of(() => true);
  const parts = {
    map,
    contents: () => contents,
    engine: nodeSqlEngine,
    clock: realClock,
    log: silentLog,
    computer: async () => [],
  };
  return { ...parts, ...{ writer: 1 } };
}
