/**
 * `starfish sh` as a shell: lines with arguments, scripts from this machine, from standard input and from the tree,
 * signals, statuses.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLab, type Lab, type Node } from "./processes.ts";

function sh(lab: Lab, node: Node, words: readonly string[], stdin = ""): Promise<unknown> {
  return lab.starfish(["sh", "--data", node.data, ...words], { stdin }).finished;
}

test("lines and scripts have words, one session, and the status of their last command", async () => {
  await using lab = await openLab();
  const node = await lab.up();
  expect(await sh(lab, node, ["-c", 'echo "$0:$1:$#"; exit 7', "me", "a b", "c"])).toMatchObject({
    status: 7,
    stdout: "me:a b:2\n",
    stderr: "",
  });
  const script = join(lab.folder, "script.sh");
  await writeFile(
    script,
    'greet() { echo "hello $1"; }\nfor name; do greet "$name"; done\ntrap "echo bye" EXIT\nfalse\n',
  );
  expect(await sh(lab, node, [script, "otter", "heron"])).toMatchObject({
    status: 1,
    stdout: "hello otter\nhello heron\nbye\n",
  });
  expect(await sh(lab, node, [join(lab.folder, "absent.sh")])).toMatchObject({
    status: 127,
    stderr: expect.stringContaining("No such file or directory"),
  });
  // Standard input is one session, and its commands read further lines of it.
  const input = 'x=1\nread line\nthe next line\necho "$x $line"\nif true\nthen echo yes\nfi\nexit 4\necho never\n';
  expect(await sh(lab, node, [], input)).toMatchObject({ status: 4, stdout: "1 the next line\nyes\n", stderr: "" });
  // A script of the swarm's own files, by its path.
  await sh(lab, node, ["-c", "cat > /tool.sh"], '#!/bin/bash\necho "tool $1"\nexit 3\n');
  expect(await sh(lab, node, ["-c", "bash /tool.sh x"])).toMatchObject({ status: 3, stdout: "tool x\n", stderr: "" });
  // A construct that is not supported is reported with its place, before any part of its line has run.
  expect(await sh(lab, node, ["-c", "echo no; coproc cat"])).toMatchObject({
    status: 2,
    stdout: "",
    stderr: expect.stringContaining("line 1, column 10"),
  });
});

test("a trap takes the first Ctrl-C, and the second ends a client that waits", async () => {
  await using lab = await openLab();
  const node = await lab.up();
  const trapped = lab.starfish(["sh", "--data", node.data, "-c", 'trap "echo caught; exit 5" INT; echo up; sleep 100']);
  await trapped.output(/up/);
  expect(await trapped.end("SIGINT")).toMatchObject({ status: 5, stdout: "up\ncaught\n" });
  const stubborn = lab.starfish([
    "sh",
    "--data",
    node.data,
    "-c",
    'trap "echo once" INT; echo up; while :; do sleep 100; done',
  ]);
  await stubborn.output(/up/);
  stubborn.child.kill("SIGINT");
  await stubborn.output(/once/);
  expect(await stubborn.end("SIGINT")).toMatchObject({ status: 130 });
});
