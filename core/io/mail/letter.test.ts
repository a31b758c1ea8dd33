/** Letters: what is written is read again. A letter that contradicts its entry is refused, whoever sealed it. */
import { describe, expect, it } from "vitest";
import { encode } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { extremesOf } from "../../../test/adversary/extremes.ts";
import type { MailEntry } from "./entries.ts";
import { type Letter, readLetter, SCHEMAS, writeLetter } from "./letter.ts";

const peer = `12D3KooW${"a".repeat(44)}`;
const other = `12D3KooW${"b".repeat(44)}`;
const person = "ab".repeat(32);
const cid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

const letter: Letter = {
  from: peer,
  to: [
    { kind: "node", peer: other },
    { kind: "person", person },
  ],
  sentAtMs: 1_800_000_000_000,
  subject: "lunch",
  text: "at one?\n",
  files: [{ name: "photo.jpg", sizeBytes: 3 }],
  inReplyTo: "0123456789abcdef".repeat(2),
  news: undefined,
};
const entry: MailEntry = {
  id: "f".repeat(32),
  from: peer,
  to: letter.to,
  contents: [
    { cid, sizeBytes: 400 },
    { cid, sizeBytes: 200 },
  ],
  sentAtMs: letter.sentAtMs,
};

describe("a letter", () => {
  it("is read as it was written", () => {
    expect(readLetter(writeLetter(letter), entry)).toEqual(letter);
  });

  it("keeps a text as it is, and makes a subject and names of files one line", () => {
    const text = "one\r\n\u001b[2Jtwo";
    const read = readLetter(writeLetter({ ...letter, text, subject: "a\u001b[2Jb" }), entry);
    expect(read.text).toBe(text);
    expect(read.subject).toBe("a\ufffd[2Jb");
  });

  it.each<[string, Partial<MailEntry>]>([
    ["by somebody else", { from: other }],
    ["for others", { to: [{ kind: "node", peer: other }] }],
    ["for others in another order", { to: letter.to.toReversed() }],
    ["at another time", { sentAtMs: letter.sentAtMs + 1 }],
    ["with other files", { contents: entry.contents.slice(0, 1) }],
  ])("is refused where its entry says that it was sent %s", (_what, changes) => {
    expect(() => readLetter(writeLetter(letter), { ...entry, ...changes })).toThrow(
      expect.objectContaining({ code: "malformed" }),
    );
  });

  it("is read or malformed, whatever is in it", () => {
    const honest = [
      1,
      peer,
      [other, new Uint8Array(32).fill(0xab)],
      letter.sentAtMs,
      "lunch",
      "at one?",
      [["photo.jpg", 3]],
      new Uint8Array(16),
      ["anna", new Uint8Array(32), new Uint8Array(32), new Uint8Array(64)],
    ];
    const schema = SCHEMAS["letterSchema"];
    if (schema === undefined) throw new Error("There is a schema of letters");
    let refused = 0;
    for (const { value } of extremesOf(schema, honest)) {
      try {
        readLetter(encode(value), entry);
      } catch (error) {
        if (!isStarfishError(error, "malformed")) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(20);
  });
});
