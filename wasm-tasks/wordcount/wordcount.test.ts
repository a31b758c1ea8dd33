import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { loadTask } from "../run.ts";

/** The compiler takes some seconds, more on a busy machine. */
const COMPILE_TIMEOUT_MS = 60_000;

let run: (input: Uint8Array | string) => Promise<Uint8Array>;

beforeAll(async () => {
  run = await loadTask("wordcount", { debug: false });
}, COMPILE_TIMEOUT_MS);

async function count(input: Uint8Array | string): Promise<string> {
  return new TextDecoder().decode(await run(input));
}

function plainly(input: string): string {
  const counts = new Map<string, number>();
  for (const [word] of input.toLowerCase().matchAll(/[a-z]+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, times]) => `${times} ${word}\n`).join("");
}

describe("wordcount", () => {
  test.each([
    ["", ""],
    ["  \n\t12 3.5\n", ""],
    ["Hello, hello world", "2 hello\n1 world\n"],
    ["it's", "1 it\n1 s\n"],
    ["A@Z[a`z{", "2 a\n2 z\n"],
    ["naïve", "1 na\n1 ve\n"],
  ])("%j", async (input, expected) => {
    expect(await count(input)).toBe(expected);
  });

  test("any text, against the plain way", async () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "Z", "q", " ", "\n", "-", "0"), maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(word, async (input) => {
        expect(await count(input)).toBe(plainly(input));
      }),
      { numRuns: 200 },
    );
  });

  test("more words than the table began with", async () => {
    const letters = "abcdefghijklmnopqrstuvwxyz";
    const words = Array.from({ length: 20_000 }, (_, i) =>
      [i % 26, (i / 26) % 26, (i / 676) % 26, 3].map((letter) => letters[Math.floor(letter)]).join(""),
    );
    const input = [...words, ...words].join(" ");
    expect(await count(input)).toBe(plainly(input));
  });
});
