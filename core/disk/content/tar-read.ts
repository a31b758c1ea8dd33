/**
 * Reads tars as GNU tar, BSD tar and others write them: long names and large numbers of GNU and of pax, GNU's four
 * forms of sparse files, hard links, archives without end blocks. Each entry is read correctly, or it is named with the
 * reason why not, and the next one follows. Reading ends if it is not a tar, or ends within an entry.
 *
 * Written by hand, because no maintained library reads sparse files; libraries that don't return the stored form as the
 * content.
 */
import type { Bytes } from "../../base/bytes.ts";
import { messageOf, StarfishError, toStarfishError } from "../../base/errors.ts";
import { BoundedReader } from "./bounded-reader.ts";
import { READ_BYTES, SPARSE_RUNS_MAX, TAR_EXTENDED_BYTES_MAX, TAR_FILLING_BYTES_MAX } from "./limits.ts";
import {
  isHeader,
  isZero,
  parseHeader,
  sparseBlock,
  sparseHeader,
  TAR_BLOCK_BYTES,
  type TarHeader,
  untilNul,
} from "./tar-header.ts";
import { parsePax, Pax, type PaxRecords } from "./tar-pax.ts";
import { checkSparse, readSparseMap, type Run, sparseContent, type SparseMap } from "./tar-sparse.ts";
import { cleanPath, isOfEntry, shownPath, type TreeEntry, utf8Path } from "./tree-entry.ts";

/**
 * The entries of a tar in their order. The content of one has to be read before the next is asked for; unread bytes are
 * skipped. Rejects with "malformed" if it is not a tar, and with "io" if the source fails.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TreeEntry> {
  const reader = new BoundedReader(source);
  try {
    yield* new TarReader(reader).entries();
  } catch (error) {
    throw toStarfishError(error, "io");
  } finally {
    await reader.close();
  }
}

/** Extensions from the entries before the next one. */
interface Said {
  longName?: Bytes;
  longLink?: Bytes;
  records?: PaxRecords;
  /** The reason why none of it can be trusted. */
  damage?: string;
}

const WORDS: Readonly<Record<string, string>> = {
  "2": "symlink",
  "3": "character device",
  "4": "block device",
  "6": "fifo",
  M: "part of a file that began in another volume",
};
/** Entry types that hold no file, but facts of the archive or of rights: a volume's label, old names, access lists. */
const NO_ENTRY: ReadonlySet<string> = new Set(["V", "N", "A", "E"]);
const FILES: ReadonlySet<string> = new Set(["0", "\0", "7", "S"]);

class TarReader {
  readonly #reader: BoundedReader;
  #global: PaxRecords = [];
  #hasPax = false;
  #said: Said = {};
  /** The position of the next header. */
  #next = 0;

  constructor(reader: BoundedReader) {
    this.#reader = reader;
  }

  async *entries(): AsyncGenerator<TreeEntry> {
    const reader = this.#reader;
    for (;;) {
      await this.#passTo(this.#next);
      const block = await reader.upTo(TAR_BLOCK_BYTES);
      if (block.length === 0) return;
      if (block.length === TAR_BLOCK_BYTES && isZero(block)) break;
      if (!isHeader(block)) throw this.#noHeader(block);
      const header = parseHeader(block);
      const own = block.slice();
      reader.seek(TAR_BLOCK_BYTES);
      this.#next = reader.pos + padded(header.sizeBytes);
      if (await this.#says(header)) continue;
      const said = this.#said;
      this.#said = {};
      yield await this.#entryOf(header, own, said);
    }
    yield* this.#afterEnd();
  }

  /** Rejects with "malformed" if the tar ends before that. */
  async #passTo(at: number): Promise<void> {
    const bytes = at - this.#reader.pos;
    if (bytes === 0) return;
    this.#reader.seek(bytes - 1);
    await this.#reader.exactly(1, true);
  }

  /** Whether the entry is only about others. */
  async #says({ type, sizeBytes }: TarHeader): Promise<boolean> {
    if (type === "L" || type === "K") {
      const name = untilNul(await this.#extended(sizeBytes)).slice();
      if (type === "L") this.#said.longName = name;
      else this.#said.longLink = name;
      return true;
    }
    if (type !== "x" && type !== "X" && type !== "g") return NO_ENTRY.has(type);
    this.#hasPax = true;
    const bytes = await this.#extended(sizeBytes);
    try {
      const records = parsePax(bytes);
      if (type === "g") this.#global = [...new Map([...this.#global, ...records])];
      else this.#said.records = records;
    } catch (error) {
      this.#said.damage = messageOf(error);
    }
    return true;
  }

  async #extended(sizeBytes: number): Promise<Bytes> {
    if (sizeBytes > TAR_EXTENDED_BYTES_MAX) {
      throw new StarfishError("too-large", `A tar with an extended header of ${sizeBytes} bytes`);
    }
    return await this.#reader.exactly(sizeBytes, true);
  }

  async #entryOf(header: TarHeader, block: Bytes, said: Said): Promise<TreeEntry> {
    let name = said.longName ?? header.name;
    try {
      const pax = new Pax(this.#global, said.records ?? []);
      name = pax.bytes("GNU.sparse.name") ?? pax.bytes("path") ?? name;
      const sizeBytes = pax.number("size") ?? header.sizeBytes;
      this.#next += padded(sizeBytes) - padded(header.sizeBytes);
      if (said.damage !== undefined) throw new StarfishError("malformed", said.damage);
      const path = cleanPath(utf8Path(name));
      if (path === "" && name.at(-1) !== 0x2f && header.type !== "5")
        throw new StarfishError("malformed", "it has no name");
      const modifiedMs = pax.modifiedMs ?? header.modifiedMs;
      const { type } = header;
      if (type === "5" || type === "D" || (FILES.has(type) && name.at(-1) === 0x2f)) {
        // Some writers give a directory the size that it has on their disk; no bytes follow.
        if (type === "5") this.#next -= padded(sizeBytes);
        return { kind: "folder", path, modifiedMs };
      }
      if (type === "1") return await this.#link(header, path, pax.bytes("linkpath") ?? said.longLink, sizeBytes);
      if (FILES.has(type)) return await this.#file(header, block, { path, modifiedMs }, pax, sizeBytes);
      const what = WORDS[type];
      // No bytes follow these entries, whatever their size says.
      if (what !== undefined && type !== "M") this.#next -= padded(sizeBytes);
      return { kind: "other", path, what: what ?? `entry of the type ${JSON.stringify(type)}, which is not known` };
    } catch (error) {
      if (!isOfEntry(error)) throw error;
      return { kind: "other", path: shownPath(name), what: error.message };
    }
  }

  /**
   * A hard link. Most have no bytes of their own, although some writers give them the file's size; only in pax may
   * bytes follow.
   */
  async #link(header: TarHeader, path: string, name: Bytes | undefined, sizeBytes: number): Promise<TreeEntry> {
    const bodyAt = this.#reader.pos;
    const ignoresSize = header.form === "v7" || header.form === "gnu";
    if (!this.#hasPax && (ignoresSize || isHeader(await this.#reader.upTo(TAR_BLOCK_BYTES)))) this.#next = bodyAt;
    else if (sizeBytes > 0) return { kind: "file", path, sizeBytes, content: this.#stored(bodyAt, sizeBytes) };
    return { kind: "link", path, to: cleanPath(utf8Path(name ?? header.linkName)) };
  }

  async #file(
    header: TarHeader,
    block: Bytes,
    { path, modifiedMs }: { path: string; modifiedMs: number },
    pax: Pax,
    storedBytes: number,
  ): Promise<TreeEntry> {
    const sparse = await this.#sparse(header, block, pax, storedBytes);
    const at = this.#reader.pos;
    if (sparse === undefined) {
      return { kind: "file", path, modifiedMs, sizeBytes: storedBytes, content: this.#stored(at, storedBytes) };
    }
    checkSparse(sparse.map, sparse.storedBytes);
    let from = at;
    const content = sparseContent(sparse.map, (length) => {
      from += length;
      return this.#stored(from - length, length);
    });
    return { kind: "file", path, modifiedMs, sizeBytes: sparse.map.sizeBytes, content };
  }

  /** Where the bytes of the file lie, if it is sparse; reads on to the first of them. */
  async #sparse(
    { type, form }: TarHeader,
    block: Bytes,
    pax: Pax,
    storedBytes: number,
  ): Promise<{ map: SparseMap; storedBytes: number } | undefined> {
    if (type === "S") {
      if (form === "gnu") return { map: await this.#oldSparse(block), storedBytes };
      if (pax.sparseForm === undefined) {
        throw new StarfishError("unsupported", "a sparse file of another form than GNU's, which is not read here");
      }
    }
    const sparseForm = pax.sparseForm;
    if (sparseForm === undefined) return undefined;
    const sizeBytes = pax.number("GNU.sparse.realsize") ?? pax.number("GNU.sparse.size") ?? Number.NaN;
    if (Number.isNaN(sizeBytes)) throw new StarfishError("malformed", "a sparse file whose length is not told");
    if (sparseForm === "0") return { map: { sizeBytes, runs: pax.sparseRuns }, storedBytes };
    const from = this.#reader.pos;
    const runs = await readSparseMap(this.#reader, padded(storedBytes));
    return { map: { sizeBytes, runs }, storedBytes: storedBytes - (this.#reader.pos - from) };
  }

  async #oldSparse(block: Bytes): Promise<SparseMap> {
    const { runs, hasMore, sizeBytes } = sparseHeader(block);
    for (let more = hasMore; more;) {
      const next = sparseBlock(await this.#reader.exactly(TAR_BLOCK_BYTES, true));
      // These blocks are not counted in the entry's size.
      this.#next += TAR_BLOCK_BYTES;
      runs.push(...next.runs);
      more = next.hasMore;
      if (runs.length > SPARSE_RUNS_MAX)
        throw new StarfishError("too-large", "A tar with a sparse file of too many runs");
    }
    return { sizeBytes, runs: runs.filter(({ length }: Run) => length > 0) };
  }

  async *#stored(from: number, length: number): AsyncGenerator<Uint8Array> {
    const reader = this.#reader;
    for (let left = length; left > 0;) {
      if (reader.pos !== from + length - left)
        throw new StarfishError("closed", "This entry of the tar is passed over");
      const chunk = await this.#some(Math.min(left, READ_BYTES));
      reader.seek(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
  }

  async #some(most: number): Promise<Uint8Array> {
    try {
      return await this.#reader.exactly(most);
    } catch (error) {
      throw toStarfishError(error, "io");
    }
  }

  /**
   * Here a tar ends, and what fills its last record follows. After that there may be another tar, which tar programs do
   * not read.
   */
  async *#afterEnd(): AsyncGenerator<TreeEntry> {
    const reader = this.#reader;
    for (let seen = 0; seen < TAR_FILLING_BYTES_MAX; seen += TAR_BLOCK_BYTES) {
      reader.seek(TAR_BLOCK_BYTES);
      const block = await reader.upTo(TAR_BLOCK_BYTES);
      if (block.length < TAR_BLOCK_BYTES) return;
      if (isZero(block)) continue;
      if (isHeader(block)) {
        const { name } = parseHeader(block);
        yield {
          kind: "other",
          path: shownPath(name),
          what: "another archive begins there, after the end of the first",
        };
      }
      return;
    }
  }

  #noHeader(block: Bytes): StarfishError {
    const where = this.#next === 0 ? "Not a tar" : `The tar is damaged: no header at ${this.#next}`;
    if (block.length < TAR_BLOCK_BYTES && this.#next > 0) {
      return new StarfishError("malformed", "The tar ends within an entry");
    }
    const packer =
      this.#next === 0 ? PACKERS.find(({ begin }) => begin.every((byte, i) => block[i] === byte)) : undefined;
    const hint = packer === undefined ? "" : `: it is packed, so unpack it first (${packer.program})`;
    return new StarfishError("malformed", where + hint);
  }
}

/** What packed tars begin with. */
const PACKERS: readonly { readonly begin: readonly number[]; readonly program: string }[] = [
  { begin: [0x1f, 0x8b], program: "gzip -d" },
  { begin: [0x1f, 0x9d], program: "uncompress" },
  { begin: [0x42, 0x5a, 0x68], program: "bzip2 -d" },
  { begin: [0xfd, 0x37, 0x7a, 0x58, 0x5a], program: "xz -d" },
  { begin: [0x28, 0xb5, 0x2f, 0xfd], program: "zstd -d" },
  { begin: [0x04, 0x22, 0x4d, 0x18], program: "lz4 -d" },
];

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
}
