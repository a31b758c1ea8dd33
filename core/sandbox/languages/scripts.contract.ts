/**
 * Scripts in the workers of each platform: the same outputs, byte for byte, and failures with their reasons. Run with
 * the sandbox of each platform, which also provides the engines' bytes.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { text, utf8 } from "../../base/bytes.ts";
import type { Sandbox, SandboxOutcome, SandboxProgram, SandboxWorker } from "../../ports/sandbox.ts";
import { ENGINES, type ScriptKind } from "./engines.ts";
import { LIMITS_DEFAULT } from "../limits.ts";
import { JAVASCRIPT, PYTHON, type Snippet } from "./snippets.fixture.ts";
import { runOne } from "../../../test/fixtures/run-one.ts";

const MEMORY_BYTES_MAX: number = 64 * 1024 * 1024;

const SNIPPETS: readonly (readonly [ScriptKind, readonly Snippet[]])[] = [
  ["javascript", JAVASCRIPT],
  ["python", PYTHON],
];

/** Functions that take a text and should be ended for what they do. */
const GREEDY: Readonly<Record<ScriptKind, Readonly<Record<"depth" | "memory" | "list" | "loop", string>>>> = {
  javascript: {
    depth: "function f(x) { return f(x + 1) }",
    memory: "x => new ArrayBuffer(2 ** 30).byteLength",
    list: "x => { const all = []; for (;;) all.push(new Array(100000).fill(x)) }",
    loop: "x => { for (;;); }",
  },
  python: {
    depth: "def task(x): return task(x + 'x')",
    memory: "lambda x: len(bytearray(2 ** 30))",
    list: "def task(x):\n    all = []\n    while True: all.append(bytearray(100000))",
    loop: "def task(x):\n    while True: pass",
  },
};

export function scriptsContract(
  name: string,
  platform: { readonly sandbox: () => Sandbox; readonly engine: (kind: ScriptKind) => Promise<Uint8Array> },
): void {
  describe.each(SNIPPETS)(`${name}: %s`, (kind, snippets) => {
    let worker: SandboxWorker;
    let module: WebAssembly.Module;

    beforeAll(async () => {
      worker = await platform.sandbox().spawn();
      const outcome = await worker.compile(await platform.engine(kind), MEMORY_BYTES_MAX, kind);
      if (!outcome.ok) throw new Error(outcome.message);
      module = outcome.module;
    });
    afterAll(() => worker.terminate());

    function run(
      program: Omit<SandboxProgram, "kind">,
      input: Uint8Array | string,
      fuelMax: number = LIMITS_DEFAULT.fuelMax,
    ): Promise<SandboxOutcome> {
      const bytes = typeof input === "string" ? utf8(input) : input;
      return runOne(worker, { moduleId: kind, module, program: { kind, ...program }, input: bytes, fuelMax });
    }

    async function given(program: Omit<SandboxProgram, "kind">, input: Uint8Array | string): Promise<string> {
      const outcome = await run(program, input);
      if (!outcome.ok) throw new Error(outcome.message);
      return text(outcome.output);
    }

    test("has snippets enough", () => {
      expect(snippets.length).toBeGreaterThanOrEqual(40);
      expect(ENGINES[kind].sizeBytes).toBeGreaterThan(0);
    });

    test.each(snippets)("$source", async ({ source, input, form, reduce, gives }) => {
      const outcome = await run({ source, form, reduce }, input);
      if (typeof gives === "string") expect(outcome.ok && text(outcome.output)).toBe(gives);
      else expect(outcome).toEqual({ ok: false, ...gives });
    });

    test.each<[string, string, string]>([
      ["calls itself for ever", GREEDY[kind].depth, "call-depth"],
      ["takes a gigabyte", GREEDY[kind].memory, "out-of-memory"],
      ["takes more and more", GREEDY[kind].list, "out-of-memory"],
    ])(
      "a script that %s fails with its reason, and the next input finds nothing of it",
      async (_what, source, code) => {
        expect(await run({ source }, "x")).toMatchObject({ ok: false, code });
        const [plain] = snippets;
        expect(await given({ source: plain?.source }, plain?.input ?? "")).toBe(plain?.gives);
      },
    );

    test("inputs by themselves and in one task give the same", async () => {
      const source =
        kind === "python"
          ? "import random\nlambda_ = 0\ndef task(x): return [x, random.random()]"
          : "x => [x, Math.random()]";
      const inputs = Array.from({ length: 20 }, (_, i) => `line ${i}`);
      const alone: string[] = [];
      for (const input of inputs) alone.push(await given({ source }, input));
      expect(await given({ source }, inputs.join("\n"))).toBe(alone.join(""));
      expect(new Set(alone).size).toBe(inputs.length);
    });

    test("two outputs are made one, also where there is only one", async () => {
      const sum = kind === "python" ? "lambda a, b: a + b" : "(a, b) => a + b";
      const program = { source: kind === "python" ? "lambda x: len(x)" : "x => x.length", reduce: sum };
      const two = (first: string, second: string): Uint8Array => {
        const bytes = utf8(first);
        return new Uint8Array([bytes.length, 0, 0, 0, ...bytes, ...utf8(second)]);
      };
      expect(await given(program, "aa\nbbb\n")).toBe("5\n");
      expect(await given({ ...program, entry: "reduce" }, two("5\n", "7\n"))).toBe("12\n");
      expect(await given({ ...program, entry: "reduce" }, two("", "7\n"))).toBe("7\n");
      expect(await given(program, "")).toBe("");
      expect(await run({ ...program, entry: "reduce" }, Uint8Array.of(9, 0, 0, 0, 1))).toMatchObject({
        code: "task-failed",
      });
    });

    test("an endless loop runs out of fuel, and the next input runs as if it were the first", async () => {
      const [plain] = snippets;
      const before = await run({ source: plain?.source }, plain?.input ?? "");
      const endless = await run({ source: GREEDY[kind].loop }, "x", 100_000_000);
      expect(endless).toMatchObject({ ok: false, code: "out-of-fuel" });
      expect(before.ok && before.fuelUsed).toBeGreaterThan(1_000);
      expect(await run({ source: plain?.source }, plain?.input ?? "")).toEqual(before);
    });

    test("an endless loop is ended with its worker", async () => {
      const other = await platform.sandbox().spawn();
      let settled = false;
      const program = { kind, source: GREEDY[kind].loop };
      const fuelMax = Number.MAX_SAFE_INTEGER;
      void runOne(other, { moduleId: kind, module, program, input: utf8("x"), fuelMax }).then(() => {
        settled = true;
      });
      const [plain] = snippets;
      expect(await given({ source: plain?.source }, plain?.input ?? "")).toBe(plain?.gives);
      other.terminate();
      expect(settled).toBe(false);
    });
  });
}
