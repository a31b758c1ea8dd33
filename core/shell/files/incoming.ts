/** What `put` reads: files and directories of the host, what the user picks, or standard input. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { CommandContext, HostEntry, HostFile } from "../types.ts";
import { streamOf } from "./host-streams.ts";
import { destination, hostBaseName, placeOf, within } from "./paths.ts";

export type Incoming =
  | { readonly kind: "directory"; readonly target: string }
  | {
      readonly kind: "file";
      /** A name for messages. */
      readonly source: string;
      readonly target: string;
      readonly open: () => Promise<OpenSource>;
    }
  /** Neither a file nor a directory, and not named by the user. */
  | { readonly kind: "passed over"; readonly source: string }
  /** It should have been stored, and can't be. */
  | { readonly kind: "missing"; readonly source: string; readonly error: StarfishError };

interface OpenSource {
  /** Undefined if it is not known beforehand. */
  readonly sizeBytes: number | undefined;
  readonly stream: AsyncIterable<Uint8Array>;
  /** Whether the file was written to while it was read. Call it after the end. */
  isChanged(): boolean;
  /** Always call it in the end. */
  close(): Promise<void>;
}

type Context = CommandContext;

/** Rejects with "usage", and with the host's errors. */
export async function* incoming(
  operands: readonly string[],
  context: Context,
): AsyncGenerator<Incoming, void, undefined> {
  const { host, signal, computer } = context;
  if (host.pickFiles !== undefined && !operands.includes("-")) {
    const picked = await host.pickFiles({ signal });
    const into = placeOf(operands.at(-1) ?? ".", context);
    for (const file of picked) {
      const at = picked.length > 1 ? within(into, file.name) : destination(computer.files, into, file.name);
      yield fromFile(file, at, signal);
    }
    return;
  }
  const last = operands.length > 1 ? operands.at(-1) : undefined;
  const target = last === undefined ? undefined : placeOf(last, context);
  const sources = target === undefined ? operands : operands.slice(0, -1);
  if (sources.length === 0 || sources.includes(""))
    throw new StarfishError("usage", "HOSTPATH is missing; '-' is standard input");
  if (sources.length > 1 && target?.endsWith("/") !== true && computer.files.stat(target ?? "")?.kind !== "directory") {
    throw new StarfishError("usage", `several files go into a directory: end '${target}' with a slash`);
  }
  for (const source of sources) yield* fromSource(source, target, context);
}

async function* fromSource(
  source: string,
  target: string | undefined,
  context: Context,
): AsyncGenerator<Incoming, void, undefined> {
  const { host, stdin, signal, computer } = context;
  if (source === "-") {
    if (target === undefined || target.endsWith("/")) {
      throw new StarfishError("usage", "standard input has no name: say where it goes, as in 'put - /name'");
    }
    const open = async (): Promise<OpenSource> => ({
      sizeBytes: undefined,
      stream: stdin,
      isChanged: () => false,
      close: async () => {},
    });
    yield { kind: "file", source: "standard input", target, open };
    return;
  }
  const name = hostBaseName(source, host);
  let entries: readonly HostEntry[] | undefined;
  try {
    entries = await directoryOf(source, context);
  } catch (error) {
    yield missing(source, error, signal);
    return;
  }
  const isNameless = name === "" || name === "." || name === "..";
  if (entries !== undefined) {
    // The current directory has no name here, so its contents go into the target itself.
    const at = isNameless ? (target ?? context.cwd) : destination(computer.files, target ?? context.cwd, name);
    yield* fromDirectory(source, entries, at, context);
    return;
  }
  const at = destination(computer.files, target ?? context.cwd, name);
  yield fromPath(source, at, context);
}

/** Its entries; undefined if it is no directory. */
async function directoryOf(path: string, { host, signal }: Context): Promise<readonly HostEntry[] | undefined> {
  if (host.listDirectory === undefined) return undefined;
  try {
    return await host.listDirectory(path, { signal });
  } catch (error) {
    if (error instanceof StarfishError && error.code === "not-a-directory") return undefined;
    throw error;
  }
}

async function* fromDirectory(
  path: string,
  entries: readonly HostEntry[],
  target: string,
  context: Context,
): AsyncGenerator<Incoming, void, undefined> {
  const { signal } = context;
  yield { kind: "directory", target };
  for (const { name, kind, why } of entries) {
    const [inner, at] = [within(path, name), within(target, name)];
    if (kind === "file") yield fromPath(inner, at, context);
    else if (kind === "directory") yield* fromInner(inner, at, context);
    else if (why === undefined) yield { kind: "passed over", source: inner };
    else yield missing(inner, new StarfishError("unsupported", `${inner}: ${why}`), signal);
  }
}

async function* fromInner(path: string, target: string, context: Context): AsyncGenerator<Incoming, void, undefined> {
  const { host, signal } = context;
  let entries: readonly HostEntry[];
  try {
    entries = (await host.listDirectory?.(path, { signal })) ?? [];
  } catch (error) {
    yield missing(path, error, signal);
    return;
  }
  yield* fromDirectory(path, entries, target, context);
}

/** Throws the error if it is not about this source: if everything is to end, or it is a bug of ours. */
function missing(source: string, error: unknown, signal: AbortSignal): Incoming {
  if (signal.aborted || !isStarfishError(error) || error.code === "closed") throw error;
  return { kind: "missing", source, error };
}

function fromPath(source: string, target: string, { host, signal }: Context): Incoming {
  const open = async (): Promise<OpenSource> => openSource(await host.openFile(source, { signal }), signal);
  return { kind: "file", source, target, open };
}

function fromFile(file: HostFile, target: string, signal: AbortSignal): Incoming {
  return { kind: "file", source: file.name, target, open: async () => openSource(file, signal) };
}

function openSource(file: HostFile, signal: AbortSignal): OpenSource {
  let isChanged = false;
  const stream = streamOf(file, signal, () => (isChanged = true));
  return { sizeBytes: file.sizeBytes, stream, isChanged: () => isChanged, close: () => file.close() };
}
