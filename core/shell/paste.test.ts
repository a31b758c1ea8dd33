import fc from "fast-check";
import { expect, test } from "vitest";
import { concat, text, utf8 } from "../base/bytes.ts";
import { type Input, Paste, PASTE_BEGIN, PASTE_BYTES_MAX, PASTE_END, PasteSplitter } from "./paste.ts";

/** Inputs as letters: t for typed bytes, p for pasted ones, < and > for the marks. Pieces of one kind are joined. */
function words(inputs: readonly Input[]): string {
  return inputs
    .map((input) => {
      if (input.kind === "paste") return "<";
      if (input.kind === "paste-end") return ">";
      return text(input.bytes);
    })
    .join("");
}

test("pastes are told from what is typed, wherever the bytes are cut", () => {
  const piece = fc.constantFrom("a", "\r", "\x1b", "\x1b[", "\x1b[2", "\x1b[A", "漢", "\x1b[20", "0~");
  const run = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
  // Without marks by accident, and without the beginning of one at the end.
  const clean = run
    .filter((typed) => !typed.includes(PASTE_BEGIN) && !typed.includes(PASTE_END))
    .map((typed) => `${typed}.`);
  fc.assert(
    fc.property(fc.array(fc.tuple(clean, clean), { maxLength: 4 }), fc.integer({ min: 1, max: 9 }), (pairs, size) => {
      const bytes = utf8(pairs.map(([typed, paste]) => typed + PASTE_BEGIN + paste + PASTE_END).join(""));
      const splitter = new PasteSplitter();
      const inputs: Input[] = [];
      for (let at = 0; at < bytes.length; at += size) inputs.push(...splitter.feed(bytes.subarray(at, at + size)));
      const parts = { typed: "", pasted: "" };
      const decoded = { typed: [] as Uint8Array[], pasted: [] as Uint8Array[] };
      for (const input of inputs) if ("bytes" in input) decoded[input.kind].push(input.bytes);
      parts.typed = text(concat(decoded.typed));
      parts.pasted = text(concat(decoded.pasted));
      expect(parts).toEqual({ typed: pairs.map(([t]) => t).join(""), pasted: pairs.map(([, p]) => p).join("") });
      expect(inputs.filter(({ kind }) => kind === "paste")).toHaveLength(pairs.length);
      expect(inputs.filter(({ kind }) => kind === "paste-end")).toHaveLength(pairs.length);
    }),
  );
});

test("a beginning within a paste is text, an end outside of one is a key", () => {
  const splitter = new PasteSplitter();
  expect(words(splitter.feed(utf8("\x1b[201~a\x1b[200~b\x1b[200~c\x1b[201~d")))).toBe("\x1b[201~a<b\x1b[200~c>d");
});

test("a paste is held up to its bound, and then not at all", () => {
  const paste = new Paste();
  paste.add(utf8("漢"));
  expect(paste.text()).toBe("漢");
  for (let i = 0; i < 4; i++) paste.add(new Uint8Array(PASTE_BYTES_MAX / 2));
  expect(paste.text()).toBeUndefined();
  expect(paste.length).toBe(3 + 2 * PASTE_BYTES_MAX);
});
