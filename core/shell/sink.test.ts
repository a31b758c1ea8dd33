import fc from "fast-check";
import { expect, test } from "vitest";
import { concat, equal, text, utf8 } from "../base/bytes.ts";
import { sinkTo } from "./sink.ts";
import { compose, sequence, type Text } from "./styled.ts";

/** Everything that a terminal obeys, or shows at another place than where it is in the text. */
// eslint-disable-next-line no-control-regex
const STEERS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb]/;

async function through(isTerminal: boolean, pieces: readonly (Uint8Array | Text)[]): Promise<Uint8Array> {
  const written: Uint8Array[] = [];
  const sink = sinkTo({ write: async (bytes) => void written.push(bytes.slice()) }, () => isTerminal);
  for (const piece of pieces) await (piece instanceof Uint8Array ? sink.write(piece) : sink.print(piece));
  await sink.flush();
  return concat(written);
}

/** Title, clipboard, another screen, a CSI of one character, a direction, and a byte that erases. */
const NASTY =
  "\x1b]0;owned\x07\x1b]52;c;cm0gLXJm\x1b\\\x1b[?1049h\x1b[2J\u009b31m\u202egnp.exe\x7f\x08\x00 漢字 🏳️‍🌈\r\nb\rc\td";

test("nothing that others wrote steers a terminal, however it comes in pieces", async () => {
  const bytes = utf8(NASTY);
  for (let size = 1; size <= bytes.length; size++) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    const shown = text(await through(true, pieces));
    expect(shown).not.toMatch(STEERS);
    expect(shown).toContain("␛]0;owned␇␛]52;c;cm0gLXJm␛\\");
    expect(shown).toContain(" 漢字 🏳️‍🌈\nb␍c\td");
  }
  const shown = text(await through(true, [NASTY]));
  expect(shown).not.toMatch(STEERS);
});

test("whatever the bytes: none steers a terminal, and a pipe gets each as it is", async () => {
  const piece = fc.uint8Array({ maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      expect(text(await through(true, pieces))).not.toMatch(STEERS);
      expect(equal(await through(false, pieces), concat(pieces))).toBe(true);
    }),
  );
});

test("only sequences that were made as such pass, and text beside them does not", async () => {
  const line = compose`${sequence("\x1b[1m")}${"\x1b[2J"}${sequence("\x1b[0m")}\n`;
  expect(text(await through(true, [line]))).toBe("\x1b[1m␛[2J\x1b[0m\n");
  expect(text(await through(false, [line]))).toBe("\x1b[1m\x1b[2J\x1b[0m\n");
});

test("what is cut off is shown as such, in its place", async () => {
  expect(text(await through(true, [utf8("漢").subarray(0, 2), "x", utf8("a\r")]))).toBe("\ufffdxa␍");
});
