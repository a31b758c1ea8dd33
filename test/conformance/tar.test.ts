/** tar: what it packs it unpacks, with the names, messages and statuses of GNU tar. */
import { expect, test } from "vitest";
import { runCase } from "./case.ts";

const FILES = "mkdir -p s/d; seq 100 > s/a; echo hi > s/d/b; ";
const FAILED = "tar: Exiting with failure status due to previous errors\n";

test.each([
  [
    "tar czf s.tgz s; tar tf s.tgz; mkdir o; tar xzf s.tgz -C o; diff -r s o/s && echo same",
    0,
    "s/\ns/a\ns/d/\ns/d/b\nsame\n",
    "",
  ],
  ["tar cf - s | tar xvf - -C /tmp s/d; cat /tmp/s/d/b", 0, "s/d/\ns/d/b\nhi\n", ""],
  [
    "tar -C s -cvaf x.tar.gz .; head -c 2 x.tar.gz | xxd -p; tar -xzOf x.tar.gz ./d/b",
    0,
    "./\n./a\n./d/\n./d/b\n1f8b\nhi\n",
    "",
  ],
  [
    "tar --create --file=l.tar --exclude=d s; tar tf l.tar; tar xf l.tar --strip-components=1; tail -n 1 a",
    0,
    "s/\ns/a\n100\n",
    "",
  ],
  [
    "echo s/a | tar cf t.tar -T -; tar tvf t.tar | cut -c1-10; tar xkf t.tar",
    2,
    "-rw-r--r--\n",
    `tar: s/a: Cannot open: File exists\n${FAILED}`,
  ],
  ["tar xf nosuch.tar", 2, "", `tar: nosuch.tar: Cannot open: No such file or directory\n${FAILED}`],
  ["tar cf e.tar nosuch", 2, "", `tar: nosuch: Cannot stat: No such file or directory\n${FAILED}`],
  ["tar cf s.tar s; tar xf s.tar nosuch", 2, "", `tar: nosuch: Not found in archive\n${FAILED}`],
  [
    "tar czf s.tgz s; head -c 90 s.tgz > h.tgz; tar tf h.tgz > /dev/null 2>&1; echo $?; " +
      "{ head -c -5 s.tgz; printf '\\0\\0\\0\\0\\0'; } > c.tgz; tar xf c.tgz 2>&1 | head -n 1",
    0,
    "2\ntar: c.tgz: the gzip data are damaged or end early\n",
    "",
  ],
])("%s", async (line, status, stdout, stderr) => {
  const result = await runCase({ name: "tar", code: FILES + line, status: 0 });
  expect({ status: result.status, stdout: result.stdout, stderr: result.stderr }).toEqual({ status, stdout, stderr });
});
