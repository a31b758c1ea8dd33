/**
 * The terminal of a real tab, with a real keyboard: what a person does at a prompt, on a desktop's screen and a
 * phone's.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openLab, type Lab, type Node } from "../system/processes.ts";
import { openTabs, type Tab, type Tabs } from "./tabs.ts";

let lab: Lab;
let node: Node;
let tabs: Tabs;

beforeAll(async () => {
  lab = await openLab();
  node = await lab.up();
  tabs = await openTabs();
});

afterAll(async () => {
  await tabs?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

describe.each([
  ["desktop", { width: 1280, height: 800 }],
  ["phone", { width: 390, height: 760, phone: true }],
] as const)("%s", (name, size) => {
  let tab: Tab;
  beforeEach(async () => {
    tab = await tabs.open(node.invite, { apart: true, ...size });
    await tab.page.locator(".xterm-helper-textarea").focus();
  });
  afterEach(() => tab.close());

  /** Keys one by one, as fingers press them. */
  const types = (text: string): Promise<void> => tab.page.keyboard.type(text);
  const press = (key: string): Promise<void> => tab.page.keyboard.press(key);

  test("completes commands and paths, and searches what was run", async () => {
    await tab.run("mkdir -p '/my place' && echo hello > '/my place/note one'");
    await press("Control+L");
    await types("ca");
    await types("t /my");
    await press("Tab");
    await tab.waitFor(/\$ cat '\/my place\/$/m);
    await press("Tab");
    await tab.waitFor(/\$ cat '\/my place\/note one'$/m);
    await press("Enter");
    await tab.waitFor(/^hello$/m);
    await press("Control+L");
    await press("Control+R");
    await types("note o");
    await tab.waitFor(/\(search 'note o'\) cat '\/my place\/note one'/);
    await press("Enter");
    await tab.waitFor(/^hello$/m);
    expect(tab.complaints).toEqual([]);
  });

  test("Ctrl-C ends, Ctrl-Z pauses and fg goes on", async () => {
    await types("sleep 1000\n");
    await press("Control+C");
    await tab.waitFor(/\^C\n(.*\n)*\$$/m);
    await types("cat\n");
    await types("one\n");
    await tab.waitFor(/one\none/);
    await press("Control+Z");
    await tab.waitFor(/Stopped/);
    await types("fg\n");
    await types("two\n");
    await tab.waitFor(/two\ntwo/);
    await press("Control+D");
    await tab.waitFor(/two\n\$$/m);
    expect(tab.complaints).toEqual([]);
  });

  test("less and edit take the screen and give it back", async () => {
    await types("seq 1 2000 | less\n");
    await tab.waitFor(/^1\n2\n3\n/);
    await types("/1777\n");
    await tab.waitFor(/^1777\n1778\n/);
    await tab.page.setViewportSize({ width: size.width, height: size.height - 150 });
    await tab.waitFor(/^1777\n1778\n[^]*q: quit/);
    await press("Control+Z");
    await tab.waitFor(/Stopped/);
    await types("fg\n");
    await tab.waitFor(/^1777\n1778\n/);
    await types("q");
    await tab.waitFor(/\$$/m);
    const path = `/written-on-${name}`;
    await types(`edit ${path}\n`);
    await tab.waitFor(/^\/written/);
    await types("first line\nsecond line");
    await press("Control+S");
    await tab.waitFor(/saved, 22 bytes/);
    await press("Control+Q");
    expect(await tab.run(`cat ${path}; echo`)).toEqual({ output: "first line\nsecond line", ok: true });
    await types(`edit ${path}\n`);
    await tab.waitFor(/^\/written[^]*first line\nsecond line/);
    await types("x");
    await press("Control+Q");
    await tab.waitFor(/save what was changed/);
    await types("n\n");
    await tab.waitFor(/\$$/m);
    expect(tab.complaints).toEqual([]);
  });

  test("a paste of 200 lines waits for Enter, and then runs as it is", async () => {
    const lines = Array.from({ length: 200 }, (_unused, i) => `n=$((n + ${i}))`).join("\n");
    await tab.page.evaluate((text) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", `${text}\necho sum $n`);
      const target = document.querySelector(".xterm-helper-textarea");
      target?.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }, lines);
    await tab.waitFor(/> echo sum \$n$/m);
    expect(await tab.screen()).not.toContain("sum 19900");
    await press("Enter");
    await tab.waitFor(/^sum 19900$/m);
  });
});

test("a screen reader hears the line as it is typed, and no suggestion", async () => {
  const tab = await tabs.open(node.invite, { apart: true });
  // The keyboard alone reaches it.
  await tab.page.locator("#reader").focus();
  await tab.page.keyboard.press("Enter");
  await tab.page.locator(".xterm-helper-textarea").focus();
  // The text is typed key by key: with a screen reader on, the terminal's library takes no text that comes without key
  // events.
  await tab.page.keyboard.type("echo something long\n");
  await tab.waitFor(/^something long$/m);
  await tab.page.keyboard.type("echo so");
  await tab.waitFor(/\$ echo so$/m);
  await expect.poll(() => tab.page.locator(".xterm-accessibility").innerText()).toContain("echo so");
  await tab.close();
});

test("sql has a prompt of its own, completes, and leafs through; what is written there is in the other node too", async () => {
  const tab = await tabs.open(node.invite, { apart: true });
  await tab.page.locator(".xterm-helper-textarea").focus();
  const types = (text: string): Promise<void> => tab.page.keyboard.type(text);
  // The text comes at once, as words come from a phone's keyboard: key by key it would take seconds.
  const enters = async (text: string): Promise<void> => {
    await tab.page.keyboard.insertText(text);
    await tab.page.keyboard.press("Enter");
  };
  await types("sql\n");
  await tab.waitFor(/^sql>$/m);
  await enters("CREATE TABLE notes (line TEXT,");
  await tab.waitFor(/^\.\.\.>$/m);
  await enters("n INTEGER);");
  await tab.waitFor(/INTEGER\);\n(.*\n)*sql>$/m);
  await enters("INSERT INTO notes VALUES ('hello 漢字', 1);");
  await tab.waitFor(/^1 row changed\.$/m);
  await types("SELECT lin");
  await tab.page.keyboard.press("Tab");
  await types(" FROM no");
  await tab.page.keyboard.press("Tab");
  await types(";\n");
  await tab.waitFor(/^sql> SELECT line FROM notes;\nline\n-+\nhello 漢字\n1 row\.$/m);
  await enters("SELECT 1 AS i FROM pragma_function_list;");
  await tab.waitFor(/^i\n-\n1\n[^]*q: quit/);
  await types("Gq");
  await tab.waitFor(/^sql>$/m);
  // Ctrl-C ends what runs, and not the session.
  await enters("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT max(i) FROM c;");
  await tab.page.keyboard.press("Control+C");
  await tab.waitFor(/^Cancelled\.\n(.*\n)*sql>$/m);
  await types(".quit\n");
  await tab.waitFor(/\$$/m);
  const told = async (): Promise<string> => (await lab.sh(node, 'sql --list "SELECT line, n FROM notes"')).stdout;
  await expect.poll(told, { timeout: 15_000 }).toBe("hello 漢字\t1\n");
  expect(tab.complaints).toEqual([]);
  await tab.close();
});
