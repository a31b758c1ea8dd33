/**
 * What `send` is to send, as the source of a transfer: files and directories of the session's trees or of the machine
 * (if the session has a directory there), standard input, or what the user picks. Everything is listed before the first
 * byte is sent, so that the other end can be told how much it is.
 */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { TransferEntry, TransferSource } from "../../io/transfer/types.ts";
import { streamOf } from "../files/host-streams.ts";
import { isOfOne, Missing } from "../files/missing.ts";
import { baseName, hostBaseName, within } from "../files/paths.ts";
import { join } from "../namespace/paths.ts";
import type { CommandContext } from "../types.ts";

type Read = (options: { readonly signal: AbortSignal }) => AsyncIterable<Uint8Array>;

interface Found {
  readonly entry: TransferEntry;
  readonly read: Read;
}

interface Place {
  /** The name in messages. */
  readonly shown: string;
  /** Undefined if nothing is there. Rejects with the host's errors. */
  stat(): Promise<
    { readonly isDirectory: boolean; readonly sizeBytes: number; readonly modifiedMs: number } | undefined
  >;
  list(): Promise<readonly { readonly name: string; readonly place: Place }[]>;
  readonly read: Read;
}

/** Rejects with "not-found", "usage", and with the first error of listing them. */
export async function sourceOf(
  operands: readonly string[],
  missing: Missing,
  context: CommandContext,
): Promise<TransferSource> {
  const found: Found[] = [];
  if (operands.includes("-")) {
    if (operands.length > 1) throw new StarfishError("usage", "standard input is sent alone");
    const entry = { kind: "file", path: "stdin", sizeBytes: undefined, modifiedMs: 0 } as const;
    found.push({ entry, read: () => context.stdin });
  } else if (operands.length === 0) {
    found.push(...(await picked(context)));
  }
  for (const operand of operands) if (operand !== "-") await fromOperand(operand, found, missing, context);
  if (found.length === 0) throw new StarfishError("not-found", "nothing of it can be sent");
  return {
    entries: found.map(({ entry }) => entry),
    read: (index, options) => found[index]?.read(options) ?? nothing(),
  };
}

async function fromOperand(operand: string, found: Found[], missing: Missing, context: CommandContext): Promise<void> {
  const path = context.path(operand);
  let place: Place = inTree(path, operand, context);
  let name = baseName(path);
  let stat = await place.stat();
  if (stat === undefined) {
    place = onHost(operand, context);
    name = hostBaseName(operand, context.host);
    stat = await place.stat();
  }
  if (stat === undefined) throw new StarfishError("not-found", `there is no ${operand}`);
  // The current directory has no name, so its contents are sent by themselves.
  const isNameless = name === "" || name === "." || name === "..";
  if (isNameless && stat.isDirectory) {
    for (const inner of await place.list()) await walk(inner.place, inner.name, found, missing, context);
    return;
  }
  await walk(place, name, found, missing, context);
}

async function walk(
  place: Place,
  path: string,
  found: Found[],
  missing: Missing,
  context: CommandContext,
): Promise<void> {
  try {
    const stat = await place.stat();
    if (stat === undefined) return await missing.note(`passed over ${place.shown}`);
    const { isDirectory, sizeBytes, modifiedMs } = stat;
    const entry: TransferEntry = {
      kind: isDirectory ? "folder" : "file",
      path,
      sizeBytes: isDirectory ? 0 : sizeBytes,
      modifiedMs,
    };
    found.push({ entry, read: place.read });
    if (!isDirectory) return;
    for (const { name, place: inner } of await place.list())
      await walk(inner, `${path}/${name}`, found, missing, context);
  } catch (error) {
    if (context.signal.aborted || !isOfOne(error)) throw error;
    await missing.tell(`${place.shown}: ${error.message}`);
  }
}

function inTree(path: string, shown: string, context: CommandContext): Place {
  const { names, signal } = context;
  return {
    shown,
    async stat() {
      const entry = await names.stat(path, { signal });
      if (entry === undefined) return undefined;
      if (entry.kind === "device") throw new StarfishError("unsupported", "a device is no file");
      return {
        isDirectory: entry.kind === "directory",
        sizeBytes: entry.sizeBytes,
        modifiedMs: entry.modifiedAtMs ?? 0,
      };
    },
    async list() {
      const inside = (await names.list(path, { signal })).map(({ name }) => name).sort();
      return inside.map((name) => ({ name, place: inTree(join(path, name), within(shown, name), context) }));
    },
    read: (options) => names.read(path, options),
  };
}

function onHost(path: string, context: CommandContext): Place {
  const { host, signal } = context;
  return {
    shown: path,
    async stat() {
      try {
        const file = await host.openFile(path, { signal });
        await file.close();
        return { isDirectory: false, sizeBytes: file.sizeBytes, modifiedMs: file.modifiedAtMs };
      } catch (error) {
        if (isStarfishError(error, "is-a-directory")) return { isDirectory: true, sizeBytes: 0, modifiedMs: 0 };
        if (isStarfishError(error, "not-found")) return await directoryAt(path, context);
        throw error;
      }
    },
    async list() {
      const inside = (await host.listDirectory?.(path, { signal })) ?? [];
      return inside
        .filter(({ kind }) => kind !== "other")
        .map(({ name }) => name)
        .sort()
        .map((name) => ({ name, place: onHost(within(path, name), context) }));
    },
    async *read(options) {
      yield* streamOf(await host.openFile(path, options), options.signal);
    },
  };
}

/** A host may say of a directory only that it is no file. */
async function directoryAt(
  path: string,
  { host, signal }: CommandContext,
): Promise<{ readonly isDirectory: boolean; readonly sizeBytes: number; readonly modifiedMs: number } | undefined> {
  try {
    if (host.listDirectory === undefined) return undefined;
    await host.listDirectory(path, { signal });
    return { isDirectory: true, sizeBytes: 0, modifiedMs: 0 };
  } catch (error) {
    if (isStarfishError(error, "not-found") || isStarfishError(error, "not-a-directory")) return undefined;
    throw error;
  }
}

async function picked({ host, signal }: CommandContext): Promise<Found[]> {
  if (host.pickFiles === undefined) throw new StarfishError("usage", "FILE is missing; '-' is standard input");
  const files = await host.pickFiles({ signal });
  return files.map((file) => ({
    entry: { kind: "file", path: file.name, sizeBytes: file.sizeBytes, modifiedMs: file.modifiedAtMs },
    // Picked files may be read more than once; the page releases them when it is closed.
    read: (options) =>
      streamOf({ ...file, read: (at, length) => file.read(at, length), close: async () => {} }, options.signal),
  }));
}

// eslint-disable-next-line require-yield
async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
}
