/** A program of which this node has no copy comes from the swarm's files, if somebody has put it there. */
import { expect, test } from "vitest";
import { StarfishError } from "../core/base/errors.ts";
import { concat, text } from "../core/base/bytes.ts";
import type { Computer } from "../core/computer.ts";
import { realClock } from "../core/platform/clock.ts";
import { realRandom } from "../core/platform/random.ts";
import { Descriptor } from "../core/shell/language/descriptor.ts";
import { binTree } from "../core/shell/namespace/bin/tree.ts";
import { Namespace } from "../core/shell/namespace/namespace.ts";
import { TemporaryTree } from "../core/shell/namespace/temporary/tree.ts";
import { fileNameOf, programNamed } from "../core/shell/programs/table.ts";
import { openSession } from "../core/shell/shell.ts";
import type { Host } from "../core/shell/types.ts";
import { nodeProgramPlatform } from "./program-platform.ts";

test("a program is fetched from the swarm's own files, and only the right one", async () => {
  const file = programNamed("base64");
  if (file === undefined) throw new Error("base64 is a program");
  const tree = new TemporaryTree(realClock);
  const names = new Namespace([
    { path: "/", tree },
    // As in a session: this tree hides the swarm's own folder of that name.
    { path: "/bin", tree: binTree({ commands: () => [] }) },
  ]);
  const place = { ...nodeProgramPlatform, load: () => Promise.reject(new StarfishError("not-found", "none here")) };
  const computer = { clock: realClock, random: realRandom } as unknown as Computer;
  const session = openSession(
    { computer, host: { programs: place } as unknown as Host, table: new Map(), names },
    { name: "sh", isInteractive: false, environment: new Map(), cwd: "/" },
  );
  const said: Uint8Array[] = [];
  const sink = (): Descriptor =>
    new Descriptor({ write: (bytes) => Promise.resolve(void said.push(Uint8Array.from(bytes))) });
  await session.state.descriptors.set(1, sink());
  await session.state.descriptors.set(2, sink());
  const run = async (): Promise<[number, string]> => {
    said.length = 0;
    const { status } = await session.run("base64 <<< hello", { signal: AbortSignal.timeout(20_000) });
    return [status, text(concat(said))];
  };

  const [missing, why] = await run();
  expect(missing).toBe(126);
  expect(why).toContain(`there is no /.programs/${fileNameOf(file)}`);

  await tree.makeDirectory("/.programs");
  await tree.write(`/.programs/${fileNameOf(file)}`, only(new Uint8Array(8)));
  expect((await run())[1]).toContain("what came is not what its hash says");

  await tree.write(`/.programs/${fileNameOf(file)}`, only(await nodeProgramPlatform.load(file)));
  expect(await run()).toEqual([0, "aGVsbG8K\n"]);
  await session.end(0);
});

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
