/**
 * Databases on nodes that come, go, crash and are cut off from each other, with random schemas and statements. No
 * reader ever sees a part of a transaction, and after a quiet time all nodes give the same answers to all queries.
 */
import { expect, test } from "vitest";
import { SharedContents } from "../../test/fixtures/large-store.ts";
import { MapSwarm, type MapNode } from "../../test/sim/maps.ts";
import { SeededRandom } from "../../test/sim/random.ts";
import { isLong, seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import "./upkeep.ts";
import "./database.ts";
import { isStarfishError } from "../base/errors.ts";
import { createSql, type OwnedSql } from "./sql.ts";
import type { SqlDatabase } from "./types.ts";

const NODES: number = isLong ? 100 : 6;
const STEPS: number = isLong ? 200 : 80;
const QUIET_MS = 120_000;
/** A seed of the long run takes two minutes of computing, on whatever part of a core it gets. */
const TIMEOUT_MS: number = isLong ? 3_600_000 : 300_000;
/** The errors with which a statement may be refused without anybody's fault. */
const REFUSALS: ReadonlySet<string> = new Set(["constraint", "usage", "unsupported", "clock"]);

const CREATE = [
  "CREATE TABLE a (id INTEGER PRIMARY KEY, x, y TEXT DEFAULT 'd')",
  "CREATE TABLE a (id INTEGER PRIMARY KEY, z INTEGER DEFAULT 7, x)",
  "CREATE TABLE b (id UUID PRIMARY KEY, x UNIQUE, y CHECK (y IS NULL OR y <> 3))",
  "CREATE TABLE c (id INTEGER PRIMARY KEY, x REFERENCES a (id) ON DELETE CASCADE, y, UNIQUE (x, y))",
  "CREATE TABLE made (x, y)",
];

class Story {
  readonly swarm: MapSwarm;
  readonly #random: SeededRandom;
  readonly #databases = new Map<MapNode, OwnedSql>();
  readonly #contents = new SharedContents().of(() => true);
  #written = 0;

  constructor(seed: number) {
    this.swarm = new MapSwarm(new SimWorld({ seed, path: { loss: 0.01 } }), { isKept: true });
    this.#random = new SeededRandom(`database/${seed}`);
  }

  async found(): Promise<void> {
    const [first] = await this.swarm.found(NODES);
    if (first === undefined) throw new Error("Nobody is there");
    await this.#settle(this.sql(first)`CREATE TABLE pair (k TEXT PRIMARY KEY, v)`);
    await this.#settle(this.sql(first)`CREATE TABLE sums (id INTEGER PRIMARY KEY, n COUNTER)`);
    await this.#settle(this.sql(first)`INSERT INTO sums VALUES (1, 0)`);
    await this.swarm.equal(QUIET_MS);
  }

  sql(node: MapNode): SqlDatabase {
    let owned = this.#databases.get(node);
    if (owned === undefined) {
      const { clock, log, sqlEngine } = node.machine.ports;
      owned = createSql({
        map: node.map,
        engine: sqlEngine,
        clock,
        log,
        computer: async () => [],
        contents: () => this.#contents,
        writer: Number(node.machine.name.slice(1)) + 1,
      });
      this.#databases.set(node, owned);
    }
    return owned.sql;
  }

  async step(): Promise<void> {
    const { swarm } = this;
    const dice = this.#random.real();
    const node = this.#some(swarm.nodes);
    if (dice < 0.05) this.#cut();
    else if (dice < 0.1) swarm.world.heal();
    else if (dice < 0.14) await this.#restart();
    else if (dice < 0.4) await this.#transaction(node);
    else await this.#statement(node);
    await swarm.world.runFor(this.#random.real() * 400);
    await this.#look(this.#some(swarm.nodes));
  }

  /** Everything that can be asked of a node. */
  async see(node: MapNode): Promise<unknown> {
    const sql = this.sql(node);
    const schema = await this.#settle(sql.schema());
    const rows: Record<string, unknown> = {};
    for (const { kind, name } of schema) {
      if (kind === "table") rows[name] = await this.#settle(sql`SELECT * FROM ${sql.identifier(name)}`);
    }
    const conflicts = await this.#settle(sql.conflicts());
    return { schema, rows, conflicts: conflicts.map(({ kind, table, key, row }) => ({ kind, table, key, row })) };
  }

  async quiet(): Promise<void> {
    const { swarm } = this;
    swarm.world.heal();
    await swarm.equal(QUIET_MS);
    await swarm.world.runFor(2_000);
  }

  /** Each transaction writes both rows of a pair: a reader sees both equal, or neither. */
  async #transaction(node: MapNode): Promise<void> {
    const value = this.#written++;
    const isGone = this.#random.real() < 0.2;
    const work = this.sql(node).transaction(async (tx) => {
      if (isGone) await tx`DELETE FROM pair`;
      else for (const k of ["0", "1"]) await tx`INSERT OR REPLACE INTO pair VALUES (${k}, ${value})`;
      await tx`UPDATE sums SET n = n + 1`;
    });
    await this.#tolerate(work);
  }

  async #look(node: MapNode): Promise<void> {
    const rows = await this.#settle(this.sql(node)`SELECT count(*) AS n, min(v) = max(v) AS same FROM pair`);
    if (rows.length === 0) throw new Error("The table of pairs is gone");
    expect([
      { n: 2, same: 1 },
      { n: 0, same: null },
    ]).toContainEqual(rows[0]);
  }

  async #statement(node: MapNode): Promise<void> {
    const table = this.#some(["a", "b", "c", "made"]);
    const column = this.#some(["x", "y", "z"]);
    const value = this.#some(["0", "1", "2", "3", "NULL", "'t'", "1.5"]);
    const id = this.#some(["1", "2", "3"]);
    const text = this.#some([
      this.#some(CREATE),
      `INSERT INTO ${table} (${column}) VALUES (${value})`,
      `INSERT OR REPLACE INTO ${table} (id, ${column}) VALUES (${id}, ${value})`,
      `INSERT OR IGNORE INTO ${table} (id, ${column}) VALUES (${id}, ${value})`,
      `UPDATE ${table} SET ${column} = ${value} WHERE x = ${id}`,
      `UPDATE ${table} SET ${column} = ${value} WHERE id = ${id}`,
      `DELETE FROM ${table} WHERE ${column} = ${value}`,
      `ALTER TABLE ${table} ADD COLUMN ${column} DEFAULT 5`,
      `ALTER TABLE ${table} RENAME COLUMN ${column} TO ${this.#some(["x", "y", "z"])}`,
      `ALTER TABLE ${table} RENAME TO ${this.#some(["a", "b", "c", "made"])}`,
      this.#random.real() < 0.3 ? `DROP TABLE ${table}` : `DROP INDEX i_${table}`,
      `CREATE ${this.#some(["", "UNIQUE"])} INDEX i_${table} ON ${table} (${column})`,
    ]);
    await this.#tolerate(this.sql(node).query(text).run());
  }

  async #restart(): Promise<void> {
    const [, ...others] = this.swarm.nodes;
    const { machine } = this.#some(others);
    this.swarm.crash(machine.name, this.#random.real() < 0.5);
    await this.swarm.world.runFor(this.#random.real() * 2_000);
    await this.swarm.start({ name: machine.name, kind: "node" });
  }

  #cut(): void {
    const machines = this.swarm.nodes.map(({ machine }) => machine);
    const half = machines.filter(() => this.#random.real() < 0.5);
    this.swarm.world.partition([half, machines.filter((machine) => !half.includes(machine))]);
  }

  async #tolerate(work: PromiseLike<unknown>): Promise<void> {
    try {
      await this.#settle(work);
    } catch (error) {
      if (!isStarfishError(error) || !REFUSALS.has(error.code)) throw error;
    }
  }

  #settle<T>(work: PromiseLike<T>): Promise<T> {
    return this.swarm.world.settle(Promise.resolve(work), { withinMs: 60_000 });
  }

  #some<T>(list: readonly T[]): T {
    const one = list[Math.floor(this.#random.real() * list.length)];
    if (one === undefined) throw new Error("There is none");
    return one;
  }
}

test.each(seeds(2, 200))(
  "nodes with churn answer alike in the end, and see no part of a transaction (seed %i)",
  { timeout: TIMEOUT_MS },
  async (seed) => {
    const story = new Story(seed);
    await story.found();
    for (let i = 0; i < STEPS; i++) await story.step();
    await story.quiet();
    const [first, ...others] = story.swarm.nodes;
    if (first === undefined) throw new Error("Nobody is there");
    const seen = await story.see(first);
    for (const node of others) expect(await story.see(node)).toEqual(seen);
  },
);
