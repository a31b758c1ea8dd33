/**
 * Two databases in one process: their own maps, SQLite threads and indexes, and between them the bytes of the memory's
 * wire format, carried as soon as they are written.
 */
import { createSql } from "../../core/db/sql.ts";
import { Packer, unpack } from "../../core/memory/pack.ts";
import { SharedContents } from "../fixtures/large-store.ts";
import { ReplicaMap, TestTime } from "../fixtures/replica-map.ts";
import { sqlParts } from "../fixtures/sql-parts.ts";
import type { Pair } from "./play.ts";

export interface OpenPair extends Pair, AsyncDisposable {}

export function openPair(): OpenPair {
  const time = new TestTime();
  const contents = new SharedContents();
  const [from, to] = [new ReplicaMap(1, time), new ReplicaMap(2, time)];
  from.replica.onApplied(({ keys }) => {
    const packer = new Packer();
    for (const key of keys) {
      const keyed = from.replica.keyed(key);
      if (keyed !== undefined) packer.add(key, keyed.entry, keyed.heldAtMs);
    }
    to.replica.receive(unpack(packer.take()));
  });
  const [first, second] = [from, to].map((map) => createSql(sqlParts(map, { writer: map.replica.self, contents })));
  if (first === undefined || second === undefined) throw new Error("There are two maps");
  return {
    first: first.sql,
    second: second.sql,
    async [Symbol.asyncDispose]() {
      await Promise.all([first.close(), second.close()]);
    },
  };
}
