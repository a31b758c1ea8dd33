/** Plain sqlite-wasm in a thread, as a page has to use it; messages tell it what to do. For plain.ts. */
import { parentPort } from "node:worker_threads";
import sqlite3 from "@sqlite.org/sqlite-wasm";
import type { PlainCall } from "./plain.ts";

if (parentPort === null) throw new Error("This is a worker's program");
const port = parentPort;
const sqlite = await sqlite3();
const db = new sqlite.oo1.DB(":memory:");
port.on("message", ({ id, sql, parameters, many }: PlainCall) => {
  if (many === undefined) {
    const bind = parameters === undefined ? {} : { bind: parameters };
    const rows = db.exec({ sql, ...bind, rowMode: "array", returnValue: "resultRows" });
    port.postMessage({ id, rows });
    return;
  }
  const statement = db.prepare(sql);
  for (const row of many) statement.bind(row).stepReset();
  statement.finalize();
  port.postMessage({ id, rows: [] });
});
