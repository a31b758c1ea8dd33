/**
 * Tars as others write them: each entry is read as GNU tar and bsdtar read it, or it is named and the next one comes.
 */
import * as fc from "fast-check";
import { gunzipSync } from "fflate";
import { base64pad } from "multiformats/bases/base64";
import { describe, expect, it } from "vitest";
import { chunked, collect, pattern } from "../../../test/fixtures/content.ts";
import {
  BSD_SPARSE_GZ,
  GNU_SPARSE_GZ,
  PAX_SPARSE_00_GZ,
  PAX_SPARSE_01_GZ,
  PAX_SPARSE_10_GZ,
} from "../../../test/fixtures/sparse-archives.ts";
import { GNU_MAGIC, paxPart, TAR_END, tarOf, tarPart } from "../../../test/fixtures/tar.ts";
import { concat, text, toHex, utf8 } from "../../base/bytes.ts";
import { readTar } from "./tar-read.ts";

/** What is in it, in its order. */
async function read(tar: Uint8Array, chunkBytes = 700): Promise<[path: string, what: string][]> {
  const found: [string, string][] = [];
  for await (const entry of readTar(chunked(tar, chunkBytes))) {
    if (entry.kind === "file") {
      const bytes = await collect(entry.content);
      expect(bytes.length).toBe(entry.sizeBytes);
      found.push([entry.path, `= ${text(bytes)}`]);
    } else if (entry.kind === "link") found.push([entry.path, `-> ${entry.to}`]);
    else found.push([entry.path, entry.kind === "folder" ? "folder" : `no: ${entry.what}`]);
  }
  return found;
}

const A = { name: "a", bytes: utf8("one") };
const B = { name: "b", bytes: utf8("two") };
const BOTH: [string, string][] = [
  ["a", "= one"],
  ["b", "= two"],
];

/** What GNU tar's `holes` is (test/fixtures/sparse-archives.ts). */
function holes(): Uint8Array {
  const bytes = new Uint8Array(496_520);
  for (let i = 0; i < 30; i++) bytes.set(utf8(`run ${i}\n`), i * 16_384);
  return bytes;
}

describe("sparse files", () => {
  it.each([
    ["GNU tar's old form", GNU_SPARSE_GZ],
    ["GNU tar's form 0.0", PAX_SPARSE_00_GZ],
    ["GNU tar's form 0.1", PAX_SPARSE_01_GZ],
    ["GNU tar's form 1.0", PAX_SPARSE_10_GZ],
    ["bsdtar's own", BSD_SPARSE_GZ],
  ])("%s are read whole", async (_, gzip) => {
    const found = await read(gunzipSync(base64pad.baseDecode(gzip)), 60_000);
    expect(found.map(([path]) => path)).toEqual(["holes", "after"]);
    expect(found[0]?.[1] === `= ${text(holes())}`).toBe(true);
    expect(found[1]?.[1]).toBe("= after\n");
  });

  const sparse = (map: string, size: string, bytes: Uint8Array): Uint8Array =>
    tarOf(
      paxPart([
        ["GNU.sparse.map", map],
        ["GNU.sparse.size", size],
        ["GNU.sparse.name", "s"],
      ]),
      { name: "x", bytes },
      B,
    );

  it("may begin and end with holes, and be nothing else", async () => {
    expect(await read(sparse("2,3", "7", utf8("one")))).toEqual([
      ["s", "= \0\0one\0\0"],
      ["b", "= two"],
    ]);
    expect(await read(sparse("4,0", "4", utf8("")))).toEqual([
      ["s", "= \0\0\0\0"],
      ["b", "= two"],
    ]);
  });

  it.each([
    ["0,2,1,1", "9", "a sparse file whose runs overlap"],
    ["0,3", "2", "a sparse file with bytes beyond its end"],
    ["0,2", "9", "a sparse file of 2 stored bytes, where the tar has 3"],
    ["0,3,5", "9", "a sparse file whose map is damaged"],
    ["0,-3", "9", "a sparse file whose map is damaged"],
    ["0,3", "9007199254740991", "a sparse file of 9007199254740991 bytes"],
    ["0,3", "many", "its extended header is damaged (GNU.sparse.size)"],
  ])("with the map %s and the size %s is named", async (map, size, why) => {
    expect(await read(sparse(map, size, utf8("one")))).toEqual([
      ["s", `no: ${why}`],
      ["b", "= two"],
    ]);
  });

  it("of forms that are not known are named, not stored as they are packed", async () => {
    const future = [
      ["GNU.sparse.major", "2"],
      ["GNU.sparse.minor", "0"],
    ] as const;
    const star = [["SCHILY.realsize", "100"]] as const;
    const cases = [
      [tarOf(paxPart(future), A, B), "a sparse file of the form 2.0, which is not read here"],
      [tarOf(paxPart(star), A, B), "a sparse file of star's form, which is not read here"],
      [tarOf({ ...A, type: "S" }, B), "a sparse file of another form than GNU's, which is not read here"],
    ] as const;
    for (const [tar, why] of cases)
      expect(await read(tar)).toEqual([
        ["a", `no: ${why}`],
        ["b", "= two"],
      ]);
  });
});

describe("hard links", () => {
  it("name the file, whatever size their writer gave them", async () => {
    for (const magic of [GNU_MAGIC, "ustar\x0000", ""]) {
      for (const size of [0, 3]) {
        const tar = tarOf({ ...A, magic }, { name: "l", type: "1", link: "./a", size, magic }, { ...B, magic });
        expect(await read(tar)).toEqual([
          ["a", "= one"],
          ["l", "-> a"],
          ["b", "= two"],
        ]);
      }
    }
  });

  it("may have bytes of their own in pax", async () => {
    const link = { name: "l", type: "1", link: "a", bytes: utf8("own") };
    expect(await read(tarOf(paxPart([["comment", "x"]]), A, link, B))).toEqual([
      ["a", "= one"],
      ["l", "= own"],
      ["b", "= two"],
    ]);
  });

  it("lead nowhere else", async () => {
    const tar = tarOf({ name: "l", type: "1", link: "../../etc/passwd" }, A);
    expect(await read(tar)).toEqual([
      ["l", 'no: A path that no file can have: "../../etc/passwd"'],
      ["a", "= one"],
    ]);
  });
});

describe("names", () => {
  it("that are no UTF-8 are named each by itself, and never become one", async () => {
    const names = [Uint8Array.of(0x63, 0xe9), Uint8Array.of(0x63, 0xe8)];
    const why = "no: a name that is no UTF-8, and so has no place here";
    const tar = tarOf(...names.map((name) => ({ name, bytes: utf8("x") })), A);
    expect(await read(tar)).toEqual([
      ["c\\xe9", why],
      ["c\\xe8", why],
      ["a", "= one"],
    ]);
    const pax = tarOf(
      paxPart([
        ["hdrcharset", "BINARY"],
        ["path", Uint8Array.of(0x63, 0xe9)],
      ]),
      A,
      B,
    );
    expect(await read(pax)).toEqual([
      ["c\\xe9", why],
      ["b", "= two"],
    ]);
  });

  it("keep their backslashes, and go out of no folder", async () => {
    expect(await read(tarOf({ name: "d\\e", bytes: utf8("x") }))).toEqual([["d\\e", "= x"]]);
    const out = tarOf({ name: "../x", bytes: utf8("x") }, { name: "/abs", bytes: utf8("y") });
    expect(await read(out)).toEqual([
      ["../x", 'no: A path that no file can have: "../x"'],
      ["abs", "= y"],
    ]);
    expect(await read(tarOf({ name: ".", bytes: utf8("x") }, B))).toEqual([
      [".", "no: it has no name"],
      ["b", "= two"],
    ]);
  });

  it("may be long in GNU's way, in pax, in ustar's prefix and in star's", async () => {
    const long = `${"d".repeat(140)}/${"n".repeat(90)}`;
    const gnu = tarOf({ name: "././@LongLink", type: "L", bytes: utf8(`${long}\0`) }, { ...A, magic: GNU_MAGIC }, B);
    const pax = tarOf(paxPart([["path", long]]), A, B);
    const ustar = tarOf({ ...A, name: "n".repeat(90), fields: [[345, "d".repeat(140)]] }, B);
    const inStar: [number, string][] = [
      [345, "d".repeat(131)],
      [476, "14524677400\0"],
      [508, "tar\0"],
    ];
    const star = tarOf({ ...A, name: "n".repeat(90), fields: inStar }, B);
    for (const tar of [gnu, pax, ustar])
      expect(await read(tar)).toEqual([
        [long, "= one"],
        ["b", "= two"],
      ]);
    expect((await read(star))[0]?.[0]).toBe(`${"d".repeat(131)}/${"n".repeat(90)}`);
    // In GNU's form other fields are there.
    const other = tarOf({ ...A, magic: GNU_MAGIC, fields: [[345, "14524677400\0"]] }, B);
    expect(await read(other)).toEqual(BOTH);
  });

  it("are said for all that follow by a global header, until one has its own", async () => {
    const tar = tarOf(paxPart([["path", "all"]], "g"), A, paxPart([["path", "own"]]), B, paxPart([["path", ""]]), B);
    expect(await read(tar)).toEqual([
      ["all", "= one"],
      ["own", "= two"],
      ["b", "= two"],
    ]);
  });
});

describe("sizes and kinds", () => {
  it("are read as octal digits, as bytes, and from pax", async () => {
    const asBytes = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3);
    expect(await read(tarOf({ ...A, size: asBytes }, B))).toEqual(BOTH);
    expect(await read(tarOf({ ...A, size: utf8("         3 \0") }, B))).toEqual(BOTH);
    expect(await read(concat([tarPart(paxPart([["size", "3"]])), tarOf({ ...A, size: 0 }, B)]))).toEqual(BOTH);
    const negative = Uint8Array.from({ length: 12 }, () => 0xff);
    await expect(read(tarOf({ ...A, size: negative }))).rejects.toMatchObject({ code: "malformed" });
  });

  it("a damaged extended header costs its own entry", async () => {
    const broken = { name: "pax", type: "x", bytes: utf8("99 path=x\n") };
    expect(await read(tarOf(broken, A, B))).toEqual([
      ["a", "no: its extended header is damaged"],
      ["b", "= two"],
    ]);
  });

  it("what is no file is named; labels and rights are not", async () => {
    const others = ["2", "3", "4", "6"].map((type) => ({ name: `t${type}`, type, size: 7 }));
    const tar = tarOf({ name: "label", type: "V" }, { name: "acl", type: "A", bytes: utf8("x") }, ...others, A, {
      ...B,
      type: "7",
    });
    expect(await read(tar)).toEqual([
      ["t2", "no: symlink"],
      ["t3", "no: character device"],
      ["t4", "no: block device"],
      ["t6", "no: fifo"],
      ...BOTH,
    ]);
    const unknown = { name: "u", type: "Q", bytes: utf8("x") };
    expect(await read(tarOf(unknown, A))).toEqual([
      ["u", 'no: entry of the type "Q", which is not known'],
      ["a", "= one"],
    ]);
    const volume = { name: "m", type: "M", bytes: utf8("x") };
    expect((await read(tarOf(volume, A)))[0]?.[1]).toContain("another volume");
  });

  it("folders are told by their type, or in the oldest form by a slash", async () => {
    const tar = tarOf(
      { name: "d", type: "5", size: 9 },
      { name: "e/", type: "\0", magic: "" },
      { name: "f/", type: "D", bytes: utf8("Ya\0") },
      A,
    );
    expect(await read(tar)).toEqual([
      ["d", "folder"],
      ["e", "folder"],
      ["f", "folder"],
      ["a", "= one"],
    ]);
  });
});

describe("the end", () => {
  it("may lack its blocks, or have one", async () => {
    const bare = concat([tarPart(A), tarPart(B)]);
    expect(await read(bare)).toEqual(BOTH);
    expect(await read(concat([bare, new Uint8Array(512)]))).toEqual(BOTH);
    expect(await read(new Uint8Array(0))).toEqual([]);
    expect(await read(TAR_END)).toEqual([]);
  });

  it("is the first one, and another archive after it is named", async () => {
    const two = concat([tarOf(A), new Uint8Array(8_192), tarOf(B)]);
    expect(await read(two)).toEqual([
      ["a", "= one"],
      ["b", "no: another archive begins there, after the end of the first"],
    ]);
    expect(await read(concat([tarOf(A), pattern(3_000)]))).toEqual([["a", "= one"]]);
  });

  it("within an entry is damage, read or not", async () => {
    const whole = concat([tarPart({ name: "large", bytes: pattern(5_000) }), tarPart(B)]);
    for (const length of [100, 512, 600, 5_600, 6_000]) {
      for (const isRead of [true, false]) {
        const found: string[] = [];
        const reading = (async () => {
          for await (const entry of readTar(chunked(whole.subarray(0, length), 300))) {
            if (isRead && entry.kind === "file") await collect(entry.content);
            found.push(entry.path);
          }
        })();
        await expect(reading).rejects.toMatchObject({ code: "malformed" });
      }
    }
  });

  it("of what is packed says with what", async () => {
    await expect(read(concat([Uint8Array.of(0x1f, 0x8b), pattern(600)]))).rejects.toThrow("gzip -d");
  });
});

it("never gives other bytes than those that were packed, however a header is damaged", async () => {
  const archive = gunzipSync(base64pad.baseDecode(GNU_SPARSE_GZ));
  const whole = toHex(holes());
  await fc.assert(
    // The header, its further blocks, and the header of what follows.
    fc.asyncProperty(fc.nat(1_535), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const damaged = archive.map((byte, i) => (i === at ? byte ^ flip : byte));
      try {
        for await (const entry of readTar(chunked(damaged, 40_000))) {
          if (entry.kind !== "file" || entry.path !== "holes") continue;
          const bytes = await collect(entry.content);
          // The further blocks have no checksum: what they tell of is checked against the length of all that is stored.
          if (at < 512) expect(toHex(bytes) === whole).toBe(true);
          expect(bytes.length).toBe(entry.sizeBytes);
        }
      } catch (error) {
        expect(["malformed", "too-large"]).toContain((error as { code?: string }).code);
      }
    }),
    { numRuns: 60 },
  );
});
