/**
 * The files of the directory in which `starfish sh` was called, as the node asks for them over the control socket. What is
 * written grows beside its place under a name of its own, and takes its place when it is whole.
 */
import { existsSync, rmSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { encode } from "../core/base/codec.ts";
import { messageOf, StarfishError, type ErrorCode } from "../core/base/errors.ts";
import type { HostEntry } from "../core/shell/types.ts";
import {
  FILE_BYTES_MAX,
  KIND,
  PATH_CHARS_MAX,
  read,
  readWrite,
  schemas,
  type FileFacts,
  type Frame,
  type FrameSocket,
} from "./frames.ts";

interface OpenFile {
  readonly handle: FileHandle;
  readonly path: string;
  /** Where it grows until it is whole; undefined for what is read, and for devices, which are written in place. */
  readonly partPath?: string | undefined;
}

const SERVED: ReadonlySet<number> = new Set([
  KIND.readFile,
  KIND.openFile,
  KIND.readAt,
  KIND.createFile,
  KIND.write,
  KIND.finish,
  KIND.close,
  KIND.listDirectory,
  KIND.makeDirectory,
]);

/** Whether a frame is a request about files. */
export function servesFiles({ kind }: Frame): boolean {
  return SERVED.has(kind);
}

export class ClientFiles {
  readonly #frames: FrameSocket;
  readonly #open = new Map<number, OpenFile>();
  readonly #opening = new Map<number, Promise<unknown>>();

  constructor(frames: FrameSocket) {
    this.#frames = frames;
  }

  /** Answers a request about files. Rejects with "closed" when the node has gone, or "malformed". */
  serve(frame: Frame): Promise<void> {
    switch (frame.kind) {
      case KIND.readFile:
        return this.#answerPath(frame, (path) => wholeFile(path));
      case KIND.openFile:
        return this.#answerPath(frame, (path, id) => this.#opened(id, this.#openForReading(path, id)));
      case KIND.createFile:
        return this.#answerPath(frame, (path, id) => this.#opened(id, this.#create(path, id)));
      case KIND.listDirectory:
        return this.#answerPath(frame, async (path) => encode(await listing(path)));
      case KIND.makeDirectory:
        return this.#answerPath(frame, async (path) => void (await mkdir(path, { recursive: true })));
      default:
        return this.#serveOpen(frame);
    }
  }

  /** Lets go of everything; what was not written to its end is taken away. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.keys(), ...this.#opening.keys()].map((id) => this.#close(id)));
  }

  /** For a process that ends at once: takes away what was not written to its end. */
  abandon(): void {
    for (const { partPath } of this.#open.values()) if (partPath !== undefined) rmSync(partPath, { force: true });
  }

  async #serveOpen(frame: Frame): Promise<void> {
    if (frame.kind === KIND.readAt) {
      const { id, file, at, length } = read(schemas.range, frame);
      return await this.#answer(id, file, async ({ handle }) => {
        const { bytesRead, buffer } = await handle.read(new Uint8Array(length), 0, length, at);
        return buffer.subarray(0, bytesRead);
      });
    }
    if (frame.kind === KIND.write) {
      const { id, file, bytes } = readWrite(frame);
      return await this.#answer(id, file, ({ handle }) => handle.appendFile(bytes));
    }
    const { id, file } = read(schemas.handle, frame);
    if (frame.kind === KIND.finish) return await this.#answer(id, file, (opened) => this.#finish(file, opened));
    await this.#close(file);
    await this.#frames.sendMessage(KIND.fileEnd, { id });
  }

  /** Who lets go of a file that is being opened waits for that first. */
  async #opened<T>(id: number, opening: Promise<T>): Promise<T> {
    this.#opening.set(id, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(id);
    }
  }

  async #openForReading(path: string, id: number): Promise<Uint8Array> {
    const handle = await open(path, "r");
    this.#open.set(id, { handle, path });
    const facts = await handle.stat();
    if (facts.isDirectory()) throw new StarfishError("is-a-directory", `${path} is a directory`);
    if (!facts.isFile())
      throw new StarfishError("unsupported", `${path} is no file: give it as standard input, with '-'`);
    const told: FileFacts = { name: basename(path), sizeBytes: facts.size, modifiedAtMs: facts.mtimeMs };
    return encode(told);
  }

  async #create(path: string, id: number): Promise<void> {
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory()) throw new StarfishError("is-a-directory", `${path} is a directory`);
    if (there !== undefined && !there.isFile()) {
      this.#open.set(id, { handle: await open(path, "a"), path });
      return;
    }
    // A link stays one, and what it leads to is replaced.
    const target = there === undefined ? path : await realpath(path);
    const partPath = join(dirname(target), `.${basename(target)}.${process.pid}-${id}.part`);
    const handle = await open(partPath, "wx", there?.mode);
    this.#open.set(id, { handle, path: target, partPath });
  }

  async #finish(id: number, { handle, path, partPath }: OpenFile): Promise<void> {
    if (partPath !== undefined) await handle.sync();
    await handle.close();
    if (partPath !== undefined) await rename(partPath, path);
    this.#open.delete(id);
  }

  async #close(id: number): Promise<void> {
    await this.#opening.get(id)?.catch(() => {});
    const opened = this.#open.get(id);
    if (opened === undefined) return;
    this.#open.delete(id);
    // It is closed already where finishing it has failed halfway.
    await opened.handle.close().catch(() => {});
    if (opened.partPath !== undefined) await rm(opened.partPath, { force: true });
  }

  async #answerPath(frame: Frame, work: (path: string, id: number) => Promise<Uint8Array | void>): Promise<void> {
    const { id, path } = read(schemas.file, frame);
    try {
      await this.#sendAnswer(id, await work(path, id));
    } catch (error) {
      await this.#close(id);
      await this.#frames.sendMessage(KIND.fileEnd, { id, error: fileError(error, path) });
    }
  }

  async #answer(id: number, file: number, work: (opened: OpenFile) => Promise<Uint8Array | void>): Promise<void> {
    const opened = this.#open.get(file);
    try {
      if (opened === undefined) throw new StarfishError("closed", "The file is closed");
      await this.#sendAnswer(id, await work(opened));
    } catch (error) {
      await this.#frames.sendMessage(KIND.fileEnd, { id, error: fileError(error, opened?.path ?? "the file") });
    }
  }

  async #sendAnswer(id: number, bytes: Uint8Array | void): Promise<void> {
    if (bytes instanceof Uint8Array) await this.#frames.sendFile(KIND.fileData, id, bytes);
    await this.#frames.sendMessage(KIND.fileEnd, { id });
  }
}

async function wholeFile(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > FILE_BYTES_MAX) {
    throw new StarfishError("too-large", `${path} is larger than ${FILE_BYTES_MAX / 1024 / 1024} MiB`);
  }
  return await readFile(path);
}

/**
 * A link to a file is that file. One to a directory is neither: followed, links in a circle, or of packages to each other,
 * would have no end.
 */
async function listing(path: string): Promise<HostEntry[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const listed = entries.map(async (entry): Promise<HostEntry> => {
    const facts = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => undefined) : entry;
    const kind = facts?.isFile() === true ? "file" : entry.isDirectory() ? "directory" : "other";
    return { name: entry.name, kind };
  });
  return (await Promise.all(listed)).sort((x, y) => (x.name < y.name ? -1 : 1));
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOTDIR: "not-a-directory",
  EISDIR: "is-a-directory",
  EEXIST: "exists",
  ENOSPC: "full",
};

function fileError(error: unknown, path: string): { code: ErrorCode; message: string } {
  if (error instanceof StarfishError) return { code: error.code, message: error.message };
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") {
    // Of a file that was to be written, it is the folder that is missing.
    const missing = existsSync(dirname(path)) ? path : dirname(path);
    return { code: "not-found", message: `there is no ${missing} here` };
  }
  return { code: CODES[code] ?? "io", message: `${path}: ${messageOf(error)}`.slice(0, PATH_CHARS_MAX) };
}
