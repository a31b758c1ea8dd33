/** Whole computers in processes of their own over loopback, and a node that starts with a million cells. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createSql } from "../../core/db/sql.ts";
import { openMemory } from "../memory/node.ts";
import { RemoteNode } from "../memory/remote.ts";
import type { DatabaseCommands } from "./child.ts";
import { sqlParts } from "../../test/fixtures/sql-parts.ts";
import { COLUMNS, CREATE, rowsOf, valueBytes } from "./rows.ts";

const ROWS = 10_000;
const ROWS_AT_START = 200_000;
/** Time for members to hear of each other. */
const SETTLE_MS = 2_000;
const MAP = { isKept: true, bytesMax: 1024 * 1024 * 1024 };

interface NodeFigures {
  /** From the first statement on one node to the last row on the other, which counts them with SQL. */
  readonly secondMs: number;
  /** On both sockets, in both directions, beyond the values. */
  readonly socketBytesPerCell: number;
}

export async function secondNode(): Promise<NodeFigures> {
  const program = join(import.meta.dirname, "child.ts");
  await using first = await RemoteNode.start<DatabaseCommands>("", program);
  await using second = await RemoteNode.start<DatabaseCommands>("", program);
  const invite = await first.call("open", undefined);
  await second.call("open", invite);
  await wait(SETTLE_MS);
  await first.call("create");
  await first.call("write", 0, 1);
  await second.call("holds", 1);
  await wait(SETTLE_MS);
  const before = await second.call("bytes");
  const start = performance.now();
  const there = second.call("holds", 1 + ROWS);
  await first.call("write", 1, 1 + ROWS);
  await there;
  const secondMs = performance.now() - start;
  await wait(SETTLE_MS);
  const bytes = (await second.call("bytes")) - before;
  const own = valueBytes(rowsOf(1, 1 + ROWS));
  return { secondMs, socketBytesPerCell: (bytes - own) / (ROWS * COLUMNS.length) };
}

interface StartFigures {
  readonly cells: number;
  /** Until the map can be read and written. */
  readonly mapMs: number;
  /** Until the first query has its answer, for which SQLite's index is filled. */
  readonly indexMs: number;
}

export async function start(): Promise<StartFigures> {
  const directory = await mkdtemp(join(tmpdir(), "starfish-bench-"));
  try {
    {
      await using node = await openMemory({ directory, join: undefined });
      const made = createSql(sqlParts(await node.memory.map("db", MAP)));
      const { sql } = made;
      await sql.query(CREATE).run();
      await sql.insert("t", COLUMNS, rowsOf(0, ROWS_AT_START));
      await made.close();
    }
    await using node = await openMemory({ directory, join: undefined });
    const beganMs = performance.now();
    const map = await node.memory.map("db", MAP);
    const mapMs = performance.now() - beganMs;
    const made = createSql(sqlParts(map));
    const { sql } = made;
    const [row] = await sql<{ n: number }>`SELECT count(*) AS n FROM t`;
    const indexMs = performance.now() - beganMs - mapMs;
    await made.close();
    if (row?.n !== ROWS_AT_START) throw new Error("Rows are missing");
    return { cells: ROWS_AT_START * COLUMNS.length, mapMs, indexMs };
  } finally {
    await rm(directory, { recursive: true });
  }
}
