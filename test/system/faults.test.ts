/** Errors that a library throws where nobody can catch them, in a real node: it reports and survives them. */
import { expect, test } from "vitest";
import { eventually, openLab } from "./processes.ts";

/** A library that the node's process loads. On a signal it throws in every way that there is. */
const LIBRARY = `
  process.on("SIGUSR2", () => {
    queueMicrotask(() => { throw new Error("thrown in a microtask"); });
    setTimeout(() => { throw new Error("thrown in a timer"); }, 0);
    Promise.reject(new Error("a promise that was forgotten"));
    const target = new EventTarget();
    target.addEventListener("x", () => { throw new Error("thrown in a listener"); });
    target.dispatchEvent(new Event("x"));
  });
`;

test("a node goes on after exceptions that nobody could catch, and says each", async () => {
  const preload = `--import=data:text/javascript,${encodeURIComponent(LIBRARY)}`;
  await using lab = await openLab({ env: { NODE_OPTIONS: preload } });
  const node = await lab.up();
  await lab.sh(node, "mem set kept before");
  node.process.child.kill("SIGUSR2");
  const faults = (): Record<string, unknown>[] =>
    [...node.process.stderr.matchAll(/^error: fault (.*)$/gm)].map(([, fields = ""]) => JSON.parse(fields));
  await eventually(
    "all are told",
    async () => faults().length,
    (count) => count === 4,
  );
  expect(Math.max(...faults().map(({ count }) => Number(count)))).toBe(4);
  const all = faults()
    .map(({ error }) => String(error).split("\n")[0])
    .sort((x = "", y = "") => (x < y ? -1 : 1));
  expect(all).toEqual([
    "Error: a promise that was forgotten",
    "Error: thrown in a listener",
    "Error: thrown in a microtask",
    "Error: thrown in a timer",
  ]);
  expect(await lab.sh(node, "mem get kept")).toMatchObject({ status: 0, stdout: "before\n" });
  expect(await node.process.end("SIGTERM")).toMatchObject({ status: 0 });
});
