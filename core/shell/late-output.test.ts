import { expect, test } from "vitest";
import { text, utf8 } from "../base/bytes.ts";
import type { Computer } from "../computer.ts";
import { realClock } from "../platform/clock.ts";
import { realRandom } from "../platform/random.ts";
import { Descriptor } from "./language/descriptor.ts";
import { Namespace } from "./namespace/namespace.ts";
import { TemporaryTree } from "./namespace/temporary/tree.ts";
import { openSession } from "./shell.ts";
import type { Command, CommandContext, Host } from "./types.ts";

/** More pieces than the shell writes before it checks whether other work has its turn. */
const PIECES = 100;

function printing(name: string, fails: boolean): Command {
  const run = ({ stderr }: CommandContext): Promise<number> => {
    // Like a line that shows progress.
    for (let i = 0; i < PIECES; i++) void stderr.print(`${i} `);
    return fails ? Promise.reject(new Error("no more")) : Promise.resolve(0);
  };
  return { name, summary: name, help: name, run };
}

test("all that a command has printed is there before what comes after the command, and before its error", async () => {
  let nowMs = 0;
  // Each look at the clock tells that it is time to give others their turn.
  const clock = { ...realClock, monotonic: () => (nowMs += 1_000) };
  const computer = { clock, random: realRandom } as unknown as Computer;
  const names = new Namespace([{ path: "/", tree: new TemporaryTree(clock) }]);
  const table = new Map([printing("good", false), printing("bad", true)].map((one) => [one.name, one]));
  const session = openSession(
    { computer, host: {} as Host, table, names },
    { name: "sh", isInteractive: false, environment: new Map() },
  );
  let shown = "";
  const output = { write: async (bytes: Uint8Array) => void (shown += text(Uint8Array.from(bytes))) };
  for (const number of [1, 2]) await session.state.descriptors.set(number, new Descriptor(output));
  await output.write(utf8("$ "));
  const { status } = await session.run("good; echo end; bad", { signal: new AbortController().signal });
  await session.end(status);
  const pieces = Array.from({ length: PIECES }, (_, i) => `${i} `).join("");
  expect(shown).toBe(`$ ${pieces}end\n${pieces}bad: no more\n`);
});
