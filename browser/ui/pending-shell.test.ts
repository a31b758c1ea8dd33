/** What becomes of lines that are typed before there is a shell. */
import { expect, test } from "vitest";
import type { LineRunner } from "../../core/shell/interactive.ts";
import type { Io } from "../../core/shell/types.ts";
import { PendingShell } from "./pending-shell.ts";

const io: Io = {
  stdin: (async function* () {})(),
  stdout: { write: () => Promise.resolve() },
  stderr: { write: () => Promise.resolve() },
  terminal: {},
};

/** A shell of which only this is asked. */
const shell = { startUp: () => Promise.resolve(), run: () => Promise.resolve(7) } as unknown as LineRunner;

test("a line waits for the shell, is refused where there will be none, and waits where there may be one after all", async () => {
  const pending = new PendingShell();
  const run = (): Promise<number> => pending.run("ls", io, { signal: new AbortController().signal });
  const early = run();
  pending.fail(new Error("no swarm yet"));
  expect(await early).toBe(1);
  expect(await run()).toBe(1);
  pending.hope();
  const waiting = run();
  pending.become(shell);
  expect(await waiting).toBe(7);
  expect(await run()).toBe(7);
});
