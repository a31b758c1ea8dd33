/** Commands that read endless streams give up the thread now and then, so that a timer can end them. */
import { expect, test } from "vitest";
import { runCase } from "./case.ts";

test.each([
  "cmp /dev/zero /dev/zero",
  "diff -q <(yes) <(yes)",
  "xxd /dev/zero > /dev/null",
  "xxd -p -c 0 /dev/zero > /dev/null",
])("%s", async (line) => {
  const { stdout } = await runCase({ name: "endless", code: `timeout 0.1 ${line}; echo $?`, status: 0 });
  expect(stdout).toBe("124\n");
});
