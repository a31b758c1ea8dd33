/** Packs files and directories into one archive, for `get --tar`, `--zip` and `--car`. */
import { concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { FileEntry, FolderEntry } from "../../disk/content/tree-entry.ts";
import { FileDag, hashLeaves } from "../../disk/content/unixfs.ts";
import type { FileInfo } from "../../disk/types.ts";
import { hashOf } from "./hash.ts";
import { writeToHost } from "./host-streams.ts";
import { baseName, placeOf } from "./paths.ts";
import { TransferLine } from "./progress.ts";
import { oneLine } from "../mem/value.ts";
import { noOperands } from "../operands.ts";
import type { CommandContext } from "../types.ts";

type Context = CommandContext;
export type Format = "car" | "tar" | "zip";

/** Writes the archive to a file of the user's machine, or to standard output if that is a pipe. */
export async function pack(operands: readonly string[], format: Format, context: Context): Promise<void> {
  const [operand, target] = operands;
  if (operand === undefined) throw new StarfishError("usage", "PATH is missing");
  noOperands(operands.slice(2));
  const info = context.computer.files.stat(placeOf(operand, context));
  if (info === undefined) throw new StarfishError("not-found", `there is no ${oneLine(operand)}`);
  const line = new TransferLine(`get ${oneLine(baseName(info.path))}`, context);
  const archive = await archiveOf(info, format, line, context);
  try {
    if (target === "-" || (target === undefined && context.terminal.stdout === undefined)) {
      for await (const chunk of archive) await context.stdout.write(chunk);
    } else {
      await writeToHost(target ?? `${baseName(info.path) || "starfish"}.${format}`, archive, context);
    }
  } finally {
    line.hide();
  }
}

/** A page loads the code that makes archives only when it is needed. */
async function archiveOf(
  info: FileInfo,
  format: Format,
  line: TransferLine,
  context: Context,
): Promise<AsyncIterable<Uint8Array>> {
  if (format === "tar") {
    const { writeTar } = await import("../../disk/content/tar.ts");
    return writeTar(entriesOf(info, line, context));
  }
  if (format === "zip") {
    const { writeZip } = await import("../../disk/content/zip-write.ts");
    return writeZip(entriesOf(info, line, context));
  }
  if (info.kind === "file") return carOf(info, line, context);
  throw new StarfishError(
    "unsupported",
    `a CAR holds one file here, and ${oneLine(info.path)} is a directory: use --tar or --zip`,
  );
}

/** The content is read twice, because the root of a CAR comes first and is known last. */
async function* carOf(
  info: FileInfo,
  line: TransferLine,
  { computer, signal }: Context,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { files, crypto } = computer;
  const hash = hashOf(crypto);
  line.expect(2 * info.sizeBytes);
  const digests: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const leaf of hashLeaves(line.through(files.read(info.path, { signal })), hash, { signal })) {
    digests.push(leaf.digest);
    sizeBytes += leaf.bytes.length;
  }
  const dag = await FileDag.of(sizeBytes, concat(digests), hash);
  const { writeCar } = await import("../../disk/content/car.ts");
  yield* writeCar(dag, line.through(files.read(info.path, { signal })));
}

/** Puts the name of what was asked for before all paths, so that unpacking makes one directory. */
async function* entriesOf(
  root: FileInfo,
  line: TransferLine,
  { computer, signal }: Context,
): AsyncGenerator<FileEntry | FolderEntry, void, undefined> {
  const { files } = computer;
  const cut = root.path.lastIndexOf("/") + 1;
  for (const info of files.walk(root.path)) {
    const path = info.path.slice(cut);
    const modifiedMs = info.modifiedAtMs;
    if (info.kind === "directory") {
      if (path !== "") yield { kind: "folder", path, modifiedMs };
      continue;
    }
    line.expect(info.sizeBytes);
    const content = line.through(files.read(info.path, { signal }));
    yield { kind: "file", path, sizeBytes: info.sizeBytes, modifiedMs, content };
  }
}
