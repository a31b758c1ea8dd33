/** zip and unzip: one unpacks what the other has packed, and everything that prevents it is reported. */
import { expect, test } from "vitest";
import { runCase } from "./case.ts";

const FILES = "mkdir -p z/d z/empty; seq 100 > z/a; echo hi > z/d/b; printf '\\0\\377' > 'z/d/c ü'; ";

test.each([
  [
    "zip -r z.zip z",
    0,
    "  adding: z/ (stored 0%)\n  adding: z/a (deflated 51%)\n  adding: z/d/ (stored 0%)\n  adding: z/d/b (stored 0%)\n  adding: z/d/c ü (stored 0%)\n  adding: z/empty/ (stored 0%)\n",
    "",
  ],
  [
    "zip -qr z.zip z; unzip -q z.zip -d out; diff -r z out/z && find out -type d | sort",
    0,
    "out\nout/z\nout/z/d\nout/z/empty\n",
    "",
  ],
  ["zip -qr - z | cat > y.zip; unzip -p y 'z/d/b' z/a | tail -n 2", 0, "100\nhi\n", ""],
  [
    "zip -qr z.zip z; unzip -l z.zip | sed 's/[0-9-]* [0-9:]*   z/z/' | tail -n 4",
    0,
    "        2  z/d/c ü\n        0  z/empty/\n---------                     -------\n      297                     6 files\n",
    "",
  ],
  [
    "zip -q z.zip z z/a; echo mine > z/a; unzip z.zip z/a; unzip -qn z.zip; cat z/a; unzip -qo z.zip; wc -c < z/a",
    0,
    "Archive:  z.zip\nmine\n292\n",
    "unzip: z/a: it is there already; -o replaces it, -n keeps it\n",
  ],
  [
    "zip -q z.zip z/a z/d/b; echo new > z/d/b; zip z.zip z/d/b 'z/d/c ü'; unzip -p z.zip z/d/b; unzip -l z.zip | tail -n 1",
    0,
    "updating: z/d/b (stored 0%)\n  adding: z/d/c ü (stored 0%)\nnew\n      298                     3 files\n",
    "",
  ],
  [
    "zip -qr z.zip z -x '*b'; unzip z.zip -d o -x '*c*'; unzip -t z.zip | tail -n 1; unzip -qj z.zip z/a; zip -0j p.zip z/a",
    0,
    "Archive:  z.zip\n   creating: o/z/\n  inflating: o/z/a\n   creating: o/z/d/\n   creating: o/z/empty/\n" +
      "No errors detected in compressed data of z.zip.\n  adding: a (stored 0%)\n",
    "",
  ],
  ["zip z.zip nosuch", 12, "", "zip: warning: name not matched: nosuch\nzip: error: Nothing to do! (z.zip)\n"],
  ["unzip nosuch", 9, "", "unzip: cannot find or open nosuch, nosuch.zip.\n"],
  ["zip -q z.zip z/a; unzip -q z.zip nosuch", 11, "", "unzip: caution: filename not matched:  nosuch\n"],
])("%s", async (line, status, stdout, stderr) => {
  const result = await runCase({ name: "zip", code: FILES + line, status: 0 });
  expect({ status: result.status, stdout: result.stdout, stderr: result.stderr }).toEqual({ status, stdout, stderr });
});

test("unzip refuses what is no zip, and zip adds nothing to it", async () => {
  const { stdout, stderr } = await runCase({
    name: "zip",
    code: `${FILES}unzip z/a; echo $?; zip z/a z; echo $?; seq 100 | cmp - z/a`,
    status: 0,
  });
  expect(stdout).toMatch(/\n1\n3\n$/);
  expect(stderr).toContain("Not a whole zip");
});
