/**
 * Measures cells that come from other nodes: how many are applied a second, and their bytes on the wire and in memory.
 */
import { CountWrites } from "../../core/db/counts.ts";
import { COUNT_FOLD_AFTER_MS } from "../../core/db/limits.ts";
import { createSql } from "../../core/db/sql.ts";
import { GOSSIP_BYTES_MAX } from "../../core/memory/limits.ts";
import { Packer, unpack } from "../../core/memory/pack.ts";
import { ReplicaMap, TestTime } from "../../test/fixtures/replica-map.ts";
import { heldBytes } from "../memory/heap.ts";
import { sqlParts } from "../../test/fixtures/sql-parts.ts";
import { COLUMNS, CREATE, rowsOf, valueBytes } from "./rows.ts";

const ROWS = 50_000;
const CELLS: number = ROWS * COLUMNS.length;
const ROUNDS = 3;
const COUNTER_WRITERS = 1_000;

interface CellFigures {
  readonly cellsPerSecond: number;
  readonly updatesPerSecond: number;
  readonly wireBytesPerCell: number;
  readonly memoryBytesPerCell: number;
  readonly updateWireBytes: number;
  readonly updateMemoryBytes: number;
  readonly counterBytesPerWriter: number;
}

/** The changes of a map since the last `take`, packed into messages as gossip or reconciling does. */
class Messages {
  readonly packed: Uint8Array[] = [];
  readonly #packer = new Packer();
  readonly #map: ReplicaMap;

  constructor(map: ReplicaMap) {
    this.#map = map;
    map.replica.onApplied(({ keys }) => {
      for (const key of keys) this.#add(key);
    });
  }

  #add(key: string): void {
    const keyed = this.#map.replica.keyed(key);
    if (keyed !== undefined) this.#packer.add(key, keyed.entry);
    if (this.#packer.length > GOSSIP_BYTES_MAX - 200) this.packed.push(this.#packer.take());
  }

  take(): Uint8Array[] {
    return [...this.packed.splice(0), this.#packer.take()];
  }
}

export async function cellFigures(): Promise<CellFigures> {
  const time = new TestTime();
  const from = new ReplicaMap(1, time);
  const messages = new Messages(from);
  const made = createSql(sqlParts(from));
  const { sql } = made;
  await sql.query(CREATE).run();
  const schema = messages.take();
  await sql.insert("t", COLUMNS, rowsOf(0, ROWS));
  const rows = messages.take();
  // One column of each row: each such cell is an entry of its own.
  for (let at = 0; at < ROWS; at += 5_000) {
    await sql.query("UPDATE t SET n = n + 1 WHERE id >= ? AND id < ?", [at, at + 5_000]).run();
  }
  const updates = messages.take();
  await made.close();

  const rates: { cells: number; updates: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) rates.push(await applied(time, schema, rows, updates));
  const own = valueBytes(rowsOf(0, ROWS));
  const ownUpdates = ROWS * 4;
  const memory = await memoryOf(time, rows, updates);
  return {
    cellsPerSecond: median(rates.map(({ cells }) => cells)),
    updatesPerSecond: median(rates.map((rate) => rate.updates)),
    wireBytesPerCell: (lengthOf(rows) - own) / CELLS,
    memoryBytesPerCell: (memory.rows - own) / CELLS,
    updateWireBytes: (lengthOf(updates) - ownUpdates) / ROWS,
    updateMemoryBytes: (memory.updates - ownUpdates) / ROWS,
    counterBytesPerWriter: counterBytes(),
  };
}

async function applied(
  time: TestTime,
  schema: readonly Uint8Array[],
  rows: readonly Uint8Array[],
  updates: readonly Uint8Array[],
): Promise<{ cells: number; updates: number }> {
  const to = new ReplicaMap(2, time);
  const made = createSql(sqlParts(to));
  const { sql } = made;
  for (const packed of schema) to.replica.receive(unpack(packed));
  await sql`SELECT count(*) FROM t`;
  const take = async (packed: readonly Uint8Array[], isThere: () => Promise<boolean>): Promise<number> => {
    const start = performance.now();
    for (const one of packed) {
      to.replica.receive(unpack(one));
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!(await isThere())) throw new Error("Something is missing");
    return performance.now() - start;
  };
  const rowsMs = await take(rows, async () => (await sql<{ n: number }>`SELECT count(*) AS n FROM t`)[0]?.n === ROWS);
  const sum = rowsOf(0, ROWS).reduce((all, row) => all + Number(row[3]) + 1, 0);
  const updatesMs = await take(
    updates,
    async () => (await sql<{ n: number }>`SELECT sum(n) AS n FROM t`)[0]?.n === sum,
  );
  await made.close();
  return { cells: (CELLS / rowsMs) * 1_000, updates: (ROWS / updatesMs) * 1_000 };
}

/** Bytes of the map for each writer of a counter, at rest; all that it costs, with the value. */
function counterBytes(): number {
  const time = new TestTime();
  const map = new ReplicaMap(4, time);
  const row = "AAAAAAAA/B0";
  map.set(row, new Uint8Array());
  const entry = map.entry(row);
  if (entry === undefined) throw new Error("The row is missing");
  const before = map.stat().bytes;
  for (let writer = 1; writer <= COUNTER_WRITERS; writer++) {
    time.nowMs += COUNT_FOLD_AFTER_MS;
    map.batch(new CountWrites(map, writer * 12_345_678_901).add(entry, 1, writer * 1_000));
  }
  return (map.stat().bytes - before) / COUNTER_WRITERS;
}

async function memoryOf(
  time: TestTime,
  rows: readonly Uint8Array[],
  updates: readonly Uint8Array[],
): Promise<{ rows: number; updates: number }> {
  const map = new ReplicaMap(3, time);
  const before = await heldBytes();
  for (const packed of rows) map.replica.receive(unpack(packed));
  const withRows = await heldBytes();
  for (const packed of updates) map.replica.receive(unpack(packed));
  const withUpdates = await heldBytes();
  if (map.stat().entries < 2 * ROWS) throw new Error("Something is missing");
  return { rows: withRows - before, updates: withUpdates - withRows };
}

function lengthOf(packed: readonly Uint8Array[]): number {
  return packed.reduce((sum, one) => sum + one.length, 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[values.length >> 1] ?? Number.NaN;
}
