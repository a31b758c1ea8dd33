/**
 * The files of the directory in which `starfish sh` was called; the node asks for them over the control socket. A file
 * that is being written grows beside its place under a name of its own, and is moved there when it is complete.
 */
import { constants, existsSync, rmSync, type Stats } from "node:fs";
import { type FileHandle, mkdir, open, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { encode } from "../core/base/codec.ts";
import { messageOf, StarfishError, type ErrorCode } from "../core/base/errors.ts";
import { shownPath } from "../core/disk/content/tree-entry.ts";
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
import type { Access, NamedPaths } from "./named-paths.ts";

/** Bytes that are read beyond the stated size of a file. */
const PIECE_BYTES: number = 1024 * 1024;

interface OpenFile {
  readonly handle: FileHandle;
  readonly path: string;
  /**
   * Where the file grows until it is complete. Undefined for a file that is read, and for a device, which is written in
   * place.
   */
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
  KIND.fileFacts,
]);

/** Whether a frame is a request about files. */
export function servesFiles({ kind }: Frame): boolean {
  return SERVED.has(kind);
}

export class ClientFiles {
  readonly #frames: FrameSocket;
  readonly #named: NamedPaths;
  readonly #open = new Map<number, OpenFile>();
  readonly #opening = new Map<number, Promise<unknown>>();

  /** `named` decides which paths are served. */
  constructor(frames: FrameSocket, named: NamedPaths) {
    this.#frames = frames;
    this.#named = named;
  }

  /** Answers a request about files. Rejects with "closed" when the node has gone, or "malformed". */
  serve(frame: Frame): Promise<void> {
    switch (frame.kind) {
      case KIND.readFile:
        return this.#answerPath("read", frame, (path) => wholeFile(path));
      case KIND.openFile:
        return this.#answerPath("read", frame, (path, id) => this.#opened(id, this.#openForReading(path, id)));
      case KIND.createFile:
        return this.#answerPath("write", frame, (path, id) => this.#opened(id, this.#create(path, id)));
      case KIND.listDirectory:
        return this.#answerPath("read", frame, async (path) => encode(await listing(path)));
      case KIND.makeDirectory:
        return this.#answerPath("write", frame, async (path) => void (await mkdir(path, { recursive: true })));
      default:
        return this.#serveOpen(frame);
    }
  }

  /** Closes everything, and removes files that were not written to their end. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.keys(), ...this.#opening.keys()].map((id) => this.#close(id)));
  }

  /** For a process that ends at once: removes files that were not written to their end. */
  abandon(): void {
    for (const { partPath } of this.#open.values()) if (partPath !== undefined) rmSync(partPath, { force: true });
  }

  async #serveOpen(frame: Frame): Promise<void> {
    if (frame.kind === KIND.readAt) {
      const { id, file, at, length } = read(schemas.range, frame);
      return await this.#answer(id, file, ({ handle }) => readAll(handle, at, length));
    }
    if (frame.kind === KIND.write) {
      const { id, file, bytes } = readWrite(frame);
      return await this.#answer(id, file, ({ handle }) => handle.appendFile(bytes));
    }
    const { id, file } = read(schemas.handle, frame);
    if (frame.kind === KIND.fileFacts) {
      return await this.#answer(id, file, async ({ handle, path }) => encode(told(path, await handle.stat())));
    }
    if (frame.kind === KIND.finish) return await this.#answer(id, file, (opened) => this.#finish(file, opened));
    await this.#close(file);
    await this.#frames.sendMessage(KIND.fileEnd, { id });
  }

  /** A file can only be closed after its opening has ended. */
  async #opened<T>(id: number, opening: Promise<T>): Promise<T> {
    this.#opening.set(id, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(id);
    }
  }

  async #openForReading(path: string, id: number): Promise<Uint8Array> {
    const handle = await openFile(path);
    this.#open.set(id, { handle, path });
    return encode(told(path, await handle.stat()));
  }

  async #create(path: string, id: number): Promise<void> {
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory()) throw new StarfishError("is-a-directory", `${path} is a directory`);
    if (there !== undefined && !there.isFile()) {
      this.#open.set(id, { handle: await open(path, "a"), path });
      return;
    }
    // A link stays; the file that it leads to is replaced.
    const target = there === undefined ? path : await realpath(path);
    // It does not contain the name of the file, which may be as long as names can be.
    const partPath = join(dirname(target), `.starfish-${process.pid}-${id}.part`);
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
    // It is closed already if finishing it has failed halfway.
    await opened.handle.close().catch(() => {});
    if (opened.partPath !== undefined) await rm(opened.partPath, { force: true });
  }

  async #answerPath(
    access: Access,
    frame: Frame,
    work: (path: string, id: number) => Promise<Uint8Array | void>,
  ): Promise<void> {
    const { id, path } = read(schemas.file, frame);
    try {
      this.#named.check(access, path, process.cwd());
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

/**
 * Rejects with "is-a-directory", or with "unsupported" if it is no file: reading a pipe would wait, and a device may be
 * endless.
 */
async function openFile(path: string): Promise<FileHandle> {
  // Checked before opening, because opening alone has an effect on some devices.
  checkFile(path, await stat(path));
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    // It may be another file by now.
    checkFile(path, await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function checkFile(path: string, facts: Stats): void {
  if (facts.isDirectory()) throw new StarfishError("is-a-directory", `${path} is a directory`);
  if (facts.isFile()) return;
  throw new StarfishError("unsupported", `${path} is no file: give it as standard input, with '-'`);
}

function told(path: string, { size, mtimeMs }: Stats): FileFacts {
  return { name: basename(path), sizeBytes: size, modifiedAtMs: mtimeMs };
}

/**
 * `length` bytes from `at` on, or as many as there are. Files of /proc give fewer bytes at once, and claim to have
 * none.
 */
async function readAll(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

async function wholeFile(path: string): Promise<Uint8Array> {
  const handle = await openFile(path);
  try {
    const { size } = await handle.stat();
    const parts: Uint8Array[] = [];
    let length = 0;
    // Up to the end of the file, whatever its size is said to be.
    for (let pieceBytes = Math.min(size, FILE_BYTES_MAX) + 1; ; pieceBytes = PIECE_BYTES) {
      const piece = await readAll(handle, length, pieceBytes);
      parts.push(piece);
      length += piece.length;
      if (length > FILE_BYTES_MAX) {
        throw new StarfishError("too-large", `${path} is larger than ${FILE_BYTES_MAX / 1024 / 1024} MiB`);
      }
      if (piece.length < pieceBytes) return Buffer.concat(parts);
    }
  } finally {
    await handle.close();
  }
}

/**
 * A link to a file counts as a file. A link to a directory is neither file nor directory: following links in a circle,
 * or of packages to each other, would never end.
 */
async function listing(path: string): Promise<HostEntry[]> {
  const entries = await readdir(path, { withFileTypes: true, encoding: "buffer" });
  const listed = entries.map(async (entry): Promise<HostEntry> => {
    const name = entry.name.toString();
    if (!Buffer.from(name).equals(entry.name)) {
      return { name: shownPath(entry.name), kind: "other", why: "its name is no UTF-8, and so has no place here" };
    }
    const facts = entry.isSymbolicLink() ? await stat(join(path, name)).catch(() => undefined) : entry;
    if (facts === undefined) return { name, kind: "other", why: "it is a link to nothing" };
    const kind = facts.isFile() ? "file" : entry.isDirectory() ? "directory" : "other";
    return { name, kind };
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
    // If a file was to be written, its folder is missing.
    const missing = existsSync(dirname(path)) ? path : dirname(path);
    return { code: "not-found", message: `there is no ${missing} here` };
  }
  return { code: CODES[code] ?? "io", message: `${path}: ${messageOf(error)}`.slice(0, PATH_CHARS_MAX) };
}
