/** The parts that a database needs here: the real ones, without the rest of the computer. */
import type { createSql } from "../../core/db/sql.ts";
import type { ReplicatedMap } from "../../core/memory/types.ts";
import { realClock } from "../../core/platform/clock.ts";
import { silentLog } from "../../core/ports/log.ts";
import { nodeSqlEngine } from "../../node/sql-engine.ts";

export function partsOf(map: ReplicatedMap): Parameters<typeof createSql>[0] {
  const parts = { map, engine: nodeSqlEngine, clock: realClock, log: silentLog, computer: async () => [] };
  return { ...parts, ...{ writer: 1 } };
}
