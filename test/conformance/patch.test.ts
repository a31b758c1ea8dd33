/** patch: where it succeeds, it leaves the same as GNU patch 2.7; where a change does not fit, it changes nothing. */
import { expect, test } from "vitest";
import { runCase } from "./case.ts";

async function resultOf(code: string): Promise<{ status: number; stdout: string; stderr: string }> {
  const { status, stdout, stderr } = await runCase({ name: "patch", code, status: 0 });
  return { status, stdout, stderr };
}

const FILES = "seq 20 > a; seq 20 | sed '3d;10s/$/x/;15a new' > b; printf end >> b; diff -u a b > p; cp a before; ";

test.each([
  ["patch a p && cmp a b", 0, "patching file a\n"],
  ["patch < p && cmp a b", 0, "patching file a\n"],
  ["patch -i p -s && cmp a b", 0, ""],
  ["patch -s -R b p && cmp a b", 0, ""],
  ["patch --dry-run < p && cmp a before", 0, "checking file a\n"],
  // Five lines further down.
  ["seq 101 105 | cat - a > c; mv c a; patch -s a p; seq 101 105 | cat - b | cmp a -", 0, ""],
  [
    "mkdir -p s/d; mv a s/d; sed 's,^[-+]* [ab],&,;s,^--- a,--- x/s/d/a,;s,^+++ b,+++ y/s/d/a,' p | patch -p1; cmp s/d/a b",
    0,
    "patching file s/d/a\n",
  ],
  // The file is made, with its directory, and removed again.
  [
    "diff -u /dev/null b | sed 's,^+++ b,+++ b/n/m/f,' > q; patch -p1 < q && cmp n/m/f b && patch -sRp1 < q; ls n/m",
    0,
    "patching file n/m/f\n",
  ],
  [
    "mkdir d e; cp a d/f; cp b e/f; cp b d/g; cp a e/g; diff -r -u d e > q; (cd d; patch -s -p1 < ../q); diff -r d e",
    0,
    "",
  ],
  ["printf '\\377\\n\\376' > x; printf '\\377\\n\\375\\n' > y; diff -au x y | patch -s x; cmp x y", 0, ""],
])("%s", async (line, status, stdout) => {
  expect(await resultOf(FILES + line)).toEqual({ status, stdout, stderr: "" });
});

test.each([
  ["sed -i 's/^10$/other/' a; cp a before; patch a p", 1, "a: it does not fit; the file stays as it was"],
  ["patch -s a p; cp a before; patch a p", 1, "applied before, or is reversed (-R); the file stays as it was"],
  ["sed 's,^--- a,--- ../work/a,;s,^+++ b,+++ /work/a,' p | patch -p0", 1, "can't find file to patch"],
  ["echo no patch | patch a", 2, "Only garbage was found"],
  ["printf -- '--- a\\n+++ a\\n@@ -1,9 +1,9 @@\\n 1\\n' | patch a", 2, "malformed patch"],
  ["patch a nosuch", 2, "No such file or directory"],
])("%s changes nothing", async (line, status, why) => {
  const { stdout, stderr } = await resultOf(`${FILES}${line}; echo $?; cmp a before && echo same`);
  expect(stdout).toMatch(new RegExp(`(^|\\n)${status}\\nsame\\n$`));
  expect(stderr).toContain(why);
});
