import { describe, expect, test } from "vitest";
import { MemoryContents } from "../../test/fixtures/contents.ts";
import { concat, text, utf8 } from "../base/bytes.ts";
import { encode } from "../base/codec.ts";
import { realCrypto } from "../platform/crypto.ts";
import { PAYLOAD_BYTES_MAX } from "../sandbox/limits.ts";
import { InputReader, readListed, writeContent, writeFiles, writeList } from "./inputs.ts";
import { INLINE_BYTES_MAX, INPUTS_AHEAD } from "./limits.ts";
import type { Inputs } from "./spec.ts";

function disk(): MemoryContents {
  return new MemoryContents((pieces) => Promise.resolve(pieces.map((piece) => realCrypto.sha256(concat([piece])))));
}

async function* stream(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(utf8(part));
}

async function allOf(contents: MemoryContents, inputs: Inputs): Promise<string[]> {
  const reader = new InputReader(contents, inputs);
  const all: string[] = [];
  for (let task = 0; task < inputs.count; task++) all.push(text(await reader.read(task, inputs.count, {})));
  return all;
}

describe("inputs of a job", () => {
  test("of a range are its parts, which cover it", async () => {
    const all = await allOf(disk(), { from: "range", lo: 5, hi: 100, count: 7 });
    expect(all[0]).toBe("5 19");
    expect(all.at(-1)).toBe("86 100");
    const edges = all.map((part) => part.split(" ").map(Number));
    edges.forEach(([lo], i) => expect(lo).toBe(i === 0 ? 5 : edges[i - 1]?.[1]));
    const huge = await allOf(disk(), { from: "range", lo: 0, hi: 2 ** 52, count: 3 });
    expect(huge).toEqual([
      "0 1501199875790165",
      "1501199875790165 3002399751580331",
      "3002399751580331 4503599627370496",
    ]);
  });

  test.each([3, INPUTS_AHEAD + 5])(
    "of a list of %i come back, empty ones too, from wherever one begins",
    async (count) => {
      const contents = disk();
      const inputs = Array.from({ length: count }, (_, i) => (i % 5 === 2 ? "" : `input ${i}`));
      const { safe: _, ...list } = await writeList(contents, inputs.map(utf8));
      expect(list.count).toBe(count);
      const spec: Inputs = { from: "list", ...list };
      expect(await allOf(contents, spec)).toEqual(inputs);
      const reader = new InputReader(contents, spec);
      expect(text(await reader.read(count - 1, count, {}))).toBe(inputs.at(-1));
      const both = await Promise.all([reader.read(1, count, {}), reader.read(0, 1, {})]);
      expect(both.map(text)).toEqual([inputs[1], inputs[0]]);
      const listed = await Array.fromAsync(readListed(contents, list, {}));
      expect(listed.map(text)).toEqual(inputs);
    },
  );

  test("of files are each a file, or its pieces; lines belong to the piece in which they begin", async () => {
    const contents = disk();
    const [first, second] = ["a".repeat(5_000), `${"one\ntwo three\n".repeat(300)}${"x".repeat(3_000)}\nlast`];
    const files = await Promise.all(
      [first, second].map(async (bytes, i) => {
        const { ref } = await contents.put(stream(bytes), {});
        return { name: `f${i}`, content: ref };
      }),
    );
    const whole = await writeFiles(contents, files);
    expect(await allOf(contents, whole.inputs)).toEqual([first, second]);
    const bytes = await writeFiles(contents, files, { piece: { bytes: 1_024, at: "byte" } });
    expect((await allOf(contents, bytes.inputs)).join("")).toBe(first + second);
    for (const size of [1_024, 1_025, 2_000]) {
      const lines = await writeFiles(contents, files, { piece: { bytes: size, at: "line" } });
      const pieces = await allOf(contents, lines.inputs);
      expect(pieces.join("")).toBe(first + second);
      const cuts = pieces.slice(0, -1).filter((piece) => piece !== "" && piece !== first);
      expect(cuts.every((piece) => piece.endsWith("\n"))).toBe(true);
    }
  });

  test("that are few bytes need no disk", async () => {
    const contents = disk();
    const small = await writeContent(contents, stream("a", "b"));
    expect(small.content).toEqual({ bytes: utf8("ab") });
    const large = await writeContent(contents, new Uint8Array(INLINE_BYTES_MAX + 1));
    expect(large.content).toMatchObject({ sizeBytes: INLINE_BYTES_MAX + 1 });
  });

  test("that no task could take are refused", async () => {
    const large = [new Uint8Array(PAYLOAD_BYTES_MAX + 1)];
    await expect(writeList(disk(), large)).rejects.toMatchObject({ code: "too-large" });
  });

  test("that a member has made up are refused", async () => {
    const contents = disk();
    const cid = (await contents.put(stream("abc"), {})).ref.cid;
    const end = (value: number): number[] => [value, 0, 0, 0, 0, 0];
    const badEnds = [
      [...end(3), ...end(1)],
      [...end(1), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    for (const ends of badEnds) {
      const list = { bytes: { bytes: utf8("abc") }, ends: { bytes: Uint8Array.from(ends) }, count: 2 };
      await expect(allOf(contents, { from: "list", ...list })).rejects.toMatchObject({ code: "malformed" });
    }
    for (const rows of [[], [["a", cid, 3]], [["a", "no cid", 3]], [["a", cid, -1]], "rows", [[1]]]) {
      const inputs: Inputs = { from: "files", list: { bytes: encode(rows) }, count: 2 };
      await expect(allOf(contents, inputs)).rejects.toMatchObject({ code: "malformed" });
    }
  });
});
