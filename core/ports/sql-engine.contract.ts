/**
 * What every SqlEngine must do: hold SQLite in a thread, answer, end statements when told to, and keep a crash to that
 * thread.
 */
import { afterEach, describe, expect, it } from "vitest";
import { isStarfishError } from "../base/errors.ts";
import { IndexClient } from "../db/index-client.ts";
import type { Clock } from "./clock.ts";
import type { SqlEngine } from "./sql-engine.ts";

const FOR_EVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n";

export interface SqlEngineHarness {
  readonly engine: SqlEngine;
  readonly clock: Clock;
}

/** `hasThreads`: whether a statement runs beside its caller, and so can be ended while it runs. */
export function sqlEngineContract(
  name: string,
  create: () => SqlEngineHarness,
  { hasThreads }: { readonly hasThreads: boolean },
): void {
  describe(`SqlEngine: ${name}`, () => {
    const clients: IndexClient[] = [];
    const losses: string[] = [];
    /** Without threads, tests that need them do not exist, because a skipped test counts as failed. */
    const threads = hasThreads ? ["thread"] : [];

    function start(): IndexClient {
      const { engine, clock } = create();
      const client = new IndexClient(engine, clock, ({ message }) => losses.push(message));
      clients.push(client);
      return client;
    }

    afterEach(() => {
      for (const client of clients.splice(0)) client.end("The test is over");
      losses.length = 0;
    });

    const read = (client: IndexClient, sql: string, timeoutMs = 60_000, signal?: AbortSignal) =>
      client.call("read", [{ sql, parameters: [], timeoutMs }], { signal });

    it("answers what is asked, each call its own", async () => {
      const client = start();
      const answers = await Promise.all([1, 2, 3].map((i) => read(client, `SELECT ${i}, 'ä', x'00ff', 1.5, NULL`)));
      expect(answers.map(({ rows }) => rows)).toEqual(
        [1, 2, 3].map((i) => [[i, "ä", Uint8Array.of(0, 255), 1.5, null]]),
      );
    });

    it("carries errors with their codes", async () => {
      const client = start();
      await expect(read(client, "SELEKT 1")).rejects.toMatchObject({ code: "usage" });
      await expect(read(client, "ATTACH 'x' AS y")).rejects.toMatchObject({ code: "unsupported" });
      expect((await read(client, "SELECT 1")).rows).toEqual([[1]]);
    });

    it("ends a statement that runs for too long, and goes on", async () => {
      const client = start();
      await expect(read(client, FOR_EVER, 100)).rejects.toMatchObject({ code: "timeout" });
      expect((await read(client, "SELECT 1")).rows).toEqual([[1]]);
    });

    it.each(threads)("ends a statement that is cancelled, if need be with the %s", async () => {
      const client = start();
      await read(client, "SELECT 1");
      const controller = new AbortController();
      const answer = read(client, FOR_EVER, 60_000, controller.signal);
      controller.abort();
      await expect(answer).rejects.toMatchObject({ code: "cancelled" });
      const isThere = client.isAlive;
      expect(losses.length).toBe(isThere ? 0 : 1);
      expect((await read(isThere ? client : start(), "SELECT 2")).rows).toEqual([[2]]);
    });

    it.each(threads)("ends its %s when it is told to, and what waits is rejected", async () => {
      const client = start();
      await read(client, "SELECT 1");
      const waiting = read(client, FOR_EVER);
      client.end("It is enough");
      await expect(waiting).rejects.toSatisfy((error) => isStarfishError(error, "closed") && error.retryable);
      await expect(read(client, "SELECT 1")).rejects.toMatchObject({ code: "closed" });
      expect(losses.length).toBe(1);
    });

    it("two threads have nothing in common", async () => {
      const [one, other] = [start(), start()];
      await one.call("begin", []);
      await one.call("execute", [{ sql: "CREATE TABLE t (a INTEGER PRIMARY KEY)", parameters: [], timeoutMs: 1_000 }]);
      await one.call("commit", [[]]);
      expect((await read(one, "SELECT count(*) FROM t")).rows).toEqual([[0]]);
      await expect(read(other, "SELECT * FROM t")).rejects.toMatchObject({ code: "usage" });
    });
  });
}
