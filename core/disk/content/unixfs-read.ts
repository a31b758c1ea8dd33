/**
 * Reading of UnixFS DAGs as any tool makes them: other cuts and shapes, dag-pb leaves, CIDs of version 0, folders,
 * folders sharded over a hash trie. (https://specs.ipfs.tech/unixfs/)
 */
import { decode as decodePb, type PBLink } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";
import { isStarfishError, messageOf, StarfishError } from "../../base/errors.ts";
import { type Blocks, DAG_PB, keyOf, RAW } from "./block.ts";
import { FILE_LEVELS_MAX, FOLDER_ENTRIES_MAX, FOLDER_LEVELS_MAX } from "./limits.ts";
import { cleanPath, isOfEntry, type TreeEntry } from "./tree-entry.ts";

/** A parsed block. */
type Node =
  | {
      readonly kind: "file";
      readonly sizeBytes: number;
      readonly data: Uint8Array;
      readonly children: readonly Child[];
    }
  | { readonly kind: "folder"; readonly links: readonly PBLink[] }
  /**
   * Names of links begin with this many digits, which are the place in the trie. A name with nothing after them leads
   * to a deeper node.
   */
  | { readonly kind: "trie"; readonly links: readonly PBLink[]; readonly digits: number }
  | { readonly kind: "symlink" };

interface Child {
  readonly cid: CID;
  /** Bytes of the file in and below it, as its parent says. */
  readonly sizeBytes: number;
}

/**
 * The entries in and below `root`: a folder comes before its entries, which come in the order of the links. Blocks are
 * asked for in depth-first order, each when it is needed. An entry below `root` that can't be read is "other". Rejects
 * with "malformed", "unsupported" (not UnixFS), and as `blocks` does; so does the content of a file.
 */
export async function* walkDag(root: CID, blocks: Blocks): AsyncGenerator<TreeEntry> {
  let entries = 0;
  for await (const entry of walk(root, "", blocks, 0)) {
    if (entries++ === FOLDER_ENTRIES_MAX) throw new StarfishError("too-large", "Folders with too many entries");
    yield entry;
  }
}

async function* walk(cid: CID, path: string, blocks: Blocks, level: number): AsyncGenerator<TreeEntry> {
  const node = decodeNode(cid, await blocks.get(cid));
  switch (node.kind) {
    case "file":
      yield { kind: "file", path, sizeBytes: node.sizeBytes, content: fileContent(node, blocks, 0) };
      return;
    case "symlink":
      yield { kind: "other", path, what: "symlink" };
      return;
    default:
      yield { kind: "folder", path };
      yield* walkLinks(node, path, blocks, level, new Set());
  }
}

/**
 * @param shards The shards of this directory that were met. A real directory has none twice, and reading a hostile one
 *   must end too.
 */
async function* walkLinks(
  node: Node & { kind: "folder" | "trie" },
  path: string,
  blocks: Blocks,
  level: number,
  shards: Set<string>,
): AsyncGenerator<TreeEntry> {
  if (level > FOLDER_LEVELS_MAX) throw new StarfishError("too-large", "Folders nested too deeply");
  for (const link of node.links) {
    const name = (link.Name ?? "").slice(node.kind === "trie" ? node.digits : 0);
    if (node.kind === "trie" && name === "") {
      const key = keyOf(link.Hash);
      if (shards.has(key)) {
        throw new StarfishError("malformed", "A sharded folder that has a shard twice");
      }
      shards.add(key);
      const below = decodeNode(link.Hash, await blocks.get(link.Hash));
      if (below.kind !== "trie")
        throw new StarfishError("malformed", "A sharded folder with an entry that is no shard");
      yield* walkLinks(below, path, blocks, level + 1, shards);
    } else {
      const at = `${path}/${name}`.replace(/^\//, "");
      if (isName(name)) yield* walkChild(link.Hash, at, blocks, level + 1);
      else yield { kind: "other", path: at, what: `a name that no file can have: ${JSON.stringify(name)}` };
    }
  }
}

function isName(name: string): boolean {
  try {
    return name !== "" && !name.includes("/") && cleanPath(name) === name;
  } catch (error) {
    if (isStarfishError(error)) return false;
    throw error;
  }
}

/** Entries of a folder that can't be read are reported by name, and the others are read. */
async function* walkChild(cid: CID, path: string, blocks: Blocks, level: number): AsyncGenerator<TreeEntry> {
  try {
    cleanPath(path);
    yield* walk(cid, path, blocks, level);
  } catch (error) {
    if (!isOfEntry(error)) throw error;
    yield { kind: "other", path, what: error.message };
  }
}

async function* fileContent(node: Node & { kind: "file" }, blocks: Blocks, level: number): AsyncGenerator<Uint8Array> {
  if (level > FILE_LEVELS_MAX) throw new StarfishError("too-large", "A file of too many levels");
  if (node.data.length > 0) yield node.data;
  for (const { cid, sizeBytes } of node.children) {
    // An empty part has no bytes, and a hostile DAG may have any number of them.
    if (sizeBytes === 0) continue;
    const child = decodeNode(cid, await blocks.get(cid));
    if (child.kind !== "file" || child.sizeBytes !== sizeBytes) {
      throw new StarfishError(
        "malformed",
        `The block ${cid.toString()} is not the part of a file that its parent says`,
      );
    }
    yield* fileContent(child, blocks, level + 1);
  }
}

function decodeNode(cid: CID, bytes: Uint8Array): Node {
  if (cid.code === RAW) return { kind: "file", sizeBytes: bytes.length, data: bytes, children: [] };
  if (cid.code !== DAG_PB) {
    throw new StarfishError("unsupported", `The block ${cid.toString()} is no part of a file (codec ${cid.code})`);
  }
  let links: PBLink[];
  let unixfs: UnixFS;
  try {
    const node = decodePb(bytes);
    links = node.Links;
    unixfs = UnixFS.unmarshal(node.Data ?? new Uint8Array(0));
  } catch (error) {
    throw new StarfishError("malformed", `The block ${cid.toString()}: ${messageOf(error)}`, { cause: error });
  }
  switch (unixfs.type) {
    case "raw":
    case "file":
      return fileNode(cid, unixfs, links);
    case "directory":
      return { kind: "folder", links };
    case "hamt-sharded-directory":
      return { kind: "trie", links, digits: digitsOf(cid, unixfs) };
    case "symlink":
      return { kind: "symlink" };
    default:
      throw new StarfishError("unsupported", `The block ${cid.toString()} is a UnixFS ${unixfs.type}`);
  }
}

function fileNode(cid: CID, unixfs: UnixFS, links: readonly PBLink[]): Node {
  const data = unixfs.data ?? new Uint8Array(0);
  const children: Child[] = [];
  let sizeBytes = data.length;
  for (const [i, link] of links.entries()) {
    const childBytes = Number(unixfs.blockSizes[i] ?? -1);
    if (childBytes < 0) throw new StarfishError("malformed", `The block ${cid.toString()} has links without sizes`);
    children.push({ cid: link.Hash, sizeBytes: childBytes });
    sizeBytes += childBytes;
  }
  if (unixfs.blockSizes.length !== links.length || !Number.isSafeInteger(sizeBytes)) {
    throw new StarfishError("malformed", `The block ${cid.toString()} has sizes that do not fit its links`);
  }
  return { kind: "file", sizeBytes, data, children };
}

/** Hexadecimal digits of the largest place in a trie node with this many places. */
function digitsOf(cid: CID, unixfs: UnixFS): number {
  const places = Number(unixfs.fanout ?? 0);
  if (places < 2 || !Number.isSafeInteger(places)) {
    throw new StarfishError("malformed", `The block ${cid.toString()} is a shard of ${places} places`);
  }
  return (places - 1).toString(16).length;
}
