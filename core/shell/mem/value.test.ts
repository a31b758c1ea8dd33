import * as fc from "fast-check";
import { expect, test } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { widthOf } from "../width.ts";
import { parseJson } from "./json.ts";
import { harmless, oneLine, preview, textOrBytes, toJson } from "./value.ts";

const point = fc
  .oneof(
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
    fc.integer({ min: 0, max: 0x9f }),
  )
  .map((code) => String.fromCodePoint(code));
const anyText = fc.string({ unit: point });

test("UTF-8 is text, to the byte, and everything else bytes", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(textOrBytes(utf8(text))).toBe(text);
    }),
  );
  expect(textOrBytes(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
  for (const bytes of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    expect(textOrBytes(Uint8Array.from(bytes))).toEqual(Uint8Array.from(bytes));
  }
});

test("JSON comes back as it went in; what it has no word for is said all the same", () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const value = parseJson(json);
      expect(parseJson(toJson(value))).toEqual(value);
    }),
  );
  expect(toJson({ a: [Uint8Array.of(0, 255)] })).toBe('{"a":[{"base64":"AP8="}]}');
  expect(toJson(2n ** 64n)).toBe('"18446744073709551616"');
  expect(toJson(undefined)).toBe("null");
  expect(() => parseJson("{")).toThrow("is not JSON");
});

test("a preview is one line that fits, of any value, and harmless", () => {
  const values = fc.oneof(anyText, fc.uint8Array(), fc.jsonValue());
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 40 }), (value, cells) => {
      const shown = preview(value, cells);
      expect(widthOf(shown)).toBeLessThanOrEqual(cells);
      // eslint-disable-next-line no-control-regex
      expect(shown).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/);
    }),
  );
  expect(preview("a\nb\tc\x1b[2J\x9b", 40)).toBe("a⏎b c␛[2J\ufffd");
  expect(preview({ a: [1, "x"] }, 40)).toBe('{"a":[1,"x"]}');
  expect(preview(Uint8Array.of(1, 2, 255), 40)).toBe("3 B of binary data: 0102ff");
  expect(preview("x".repeat(65_536), 5)).toBe("xxxx…");
});

test("text for a terminal keeps its lines, and nothing in it is an escape sequence", () => {
  expect(harmless("a\r\n\tb\n\x1b]52;c;AAAA\x07")).toBe("a\n\tb\n␛]52;c;AAAA␇");
  expect(oneLine("k\x1b\n")).toBe("k␛⏎");
});
