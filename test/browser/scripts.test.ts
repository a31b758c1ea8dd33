/**
 * Scripts in a real tab of the built page: the engines come from its node, their driver comes from the page and runs
 * under its content security policy.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLab, type Lab, type Node } from "../system/processes.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

let lab: Lab;
let node: Node;
let tabs: Tabs;
let tab: Tab;

beforeAll(async () => {
  lab = await openLab();
  node = await lab.up();
  tabs = await openTabs();
  tab = await tabs.open(node.invite);
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

test.each([
  ["seq 5 | map js 'x => x * x' | sort -n | tail -n 1", /25/],
  ["map python 'lambda n: n * n' --range 0..7 | sort -n | tail -n 1", /36/],
  ["echo hey | map ts '(x: string) => x + x' | cat", /heyhey/],
  ["map pi --range 0..1000000 | cat", /3\.143256000/],
])("%s", async (line, expected) => {
  const { output, ok } = await tab.run(line);
  expect(ok).toBe(true);
  expect(output).toMatch(expected);
});

test("what a script throws is told, and nothing complained", async () => {
  const { output, ok } = await tab.run("echo 1 | map js 'x => x.a.b'");
  expect(ok).toBe(false);
  expect(output).toContain("TypeError: cannot read property 'b' of undefined");
  expect(tab.complaints).toEqual([]);
});
