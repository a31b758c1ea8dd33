/** A SQLite file that is not part of the shared database: in a thread of its own, for reading. */
import type { Clock } from "../ports/clock.ts";
import type { SqlEngine } from "../ports/sql-engine.ts";
import { StarfishError } from "../base/errors.ts";
import { AnswerCursor } from "./answer-cursor.ts";
import { IndexClient } from "./index-client.ts";
import { QUERY_MS_MAX } from "./limits.ts";
import { queriesOf } from "./query.ts";
import type { SqlFile } from "./types.ts";

/** The contents of an index of its own, for reading. `refusal` is the message for statements that would write. */
export function fileOf(client: IndexClient, clock: Clock, schema: "objects" | "fileObjects", refusal: string): SqlFile {
  const queries = queriesOf({
    watched: undefined,
    open: async (sql, parameters, { signal, timeoutMs = QUERY_MS_MAX }) => {
      const call = { sql, parameters, timeoutMs: Math.min(timeoutMs, QUERY_MS_MAX) };
      const answer = await client.call("read", [call], { signal });
      if (answer.isWrite) throw new StarfishError("unsupported", refusal);
      return new AnswerCursor(answer, { client, clock, release: () => {}, isWaitedFor: () => false, signal });
    },
  });
  return Object.assign(queries, {
    schema: () => client.call(schema, []),
    [Symbol.asyncDispose]: async () => client.end("It was closed"),
  });
}

/** As SqlDatabase.openFile. */
export async function openFile(
  file: Uint8Array,
  { engine, clock }: { readonly engine: SqlEngine; readonly clock: Clock },
): Promise<SqlFile> {
  const client = new IndexClient(engine, clock, () => {});
  try {
    await client.call("open", []);
    await client.call("deserialize", [file]);
  } catch (error) {
    client.end("The file was not opened");
    throw error;
  }
  return fileOf(client, clock, "fileObjects", "This file is read-only");
}
