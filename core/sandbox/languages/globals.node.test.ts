import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { text, utf8 } from "../../base/bytes.ts";
import { LIMITS_DEFAULT } from "../limits.ts";
import { prepareModule } from "../wasm/prepare.ts";
import { ENGINES } from "./engines.ts";
import { GLOBALS } from "./globals.ts";
import { Scripts } from "./scripts.ts";

test("what a function may use is what the engine has", () => {
  const { package: from, file } = ENGINES.javascript;
  const bytes = readFileSync(join(import.meta.dirname, "../../../node_modules", from, file));
  const module = new WebAssembly.Module(prepareModule(bytes, LIMITS_DEFAULT.memoryBytesMax, "javascript"));
  const program = {
    kind: "javascript",
    source: "() => Object.getOwnPropertyNames(globalThis)",
    form: "values",
  } as const;
  const outcome = new Scripts().run(module, program, utf8("0"), LIMITS_DEFAULT.fuelMax);
  expect(outcome.ok && new Set(JSON.parse(text(outcome.output)))).toEqual(GLOBALS);
});
