/** Our shell gives the same as bash 5.2 for each snippet of snippets.ts (recorded by record.ts). */
import { expect, test } from "vitest";
import { runCase } from "./case.ts";
import recorded from "./recorded.json" with { type: "json" };

/** The snippets for which our shell differs, and why. */
const DIFFERENT: ReadonlyMap<string, string> = new Map([
  [
    "set -u; echo ${x-ok}; echo $x; echo never",
    "an unbound variable ends with 1, as in a script of bash; -c gives 127 there",
  ],
  ["f() { caller 0; }; f | cut -d' ' -f1-2", "bash's -c has no file that called"],
  [
    "trap 'echo usr1; exit 5' USR1; (kill -USR1 $$); sleep 0.05; echo never",
    "a subshell's signals reach no other shell",
  ],
  ["echo a > f; echo bc 1<> f; cat f", "what is open for reading and writing is written at its end"],
  ["echo x | tee >(cat > f) > /dev/null; wait; sleep 0.05; cat f", "tee opens no descriptors of the shell"],
]);

test("every snippet gives what bash gave", async () => {
  const failures: unknown[] = [];
  for (const one of recorded) {
    if (DIFFERENT.has(one.code)) continue;
    const { isPassed, status, stdout, stderr } = await runCase(one);
    if (!isPassed) failures.push({ ...one, got: { status, stdout, stderr } });
  }
  expect(failures).toEqual([]);
  expect(recorded.length).toBeGreaterThanOrEqual(400);
});
