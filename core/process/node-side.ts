/** The node's side of one program: its handles, and the answers to its requests. */
import { StarfishError } from "../base/errors.ts";
import { TRANSFER_BYTES_MAX } from "../sandbox/limits.ts";
import { ENTRIES_MAX, REUSED_BYTES_MIN } from "./limits.ts";
import { Input } from "./input.ts";
import type { FileNode } from "./file-node.ts";
import type { DirectoryName, Filestat, OpenRequest, Request, Times } from "./messages.ts";
import { inodeOf, nanoseconds, typeOf, type OpenDirectoryNode, type OpenFiles } from "./open-files.ts";
import { isAbsoluteBy, partsOf, walk, type Walk } from "./paths.ts";
import type { FileEntry, ProgramRun, ProgramStream, TextCodec } from "./types.ts";
import { WasiError } from "../sandbox/wasi/errno.ts";

type Handle =
  | { readonly is: "stream"; readonly stream: ProgramStream; readonly input: Input; last: Promise<unknown> }
  | { readonly is: "file"; readonly node: FileNode }
  | { readonly is: "directory"; readonly node: OpenDirectoryNode; readonly floor: number };

/** Descriptors that are open from the start: the whole tree, and the current directory. */
const ROOT = 3;
const HERE = 4;
const FIRST_OWN = 5;

export class NodeSide {
  readonly #files: OpenFiles;
  readonly #run: ProgramRun;
  readonly #text: TextCodec;
  readonly #handles = new Map<number, Handle>();
  #next = FIRST_OWN;

  constructor(files: OpenFiles, run: ProgramRun, text: TextCodec) {
    this.#files = files;
    this.#run = run;
    this.#text = text;
    for (const [number, stream] of run.streams) this.#handles.set(number, streamHandle(stream));
    this.#handles.set(ROOT, { is: "directory", node: files.addDirectory("/"), floor: 0 });
    this.#handles.set(HERE, { is: "directory", node: files.addDirectory(run.cwd), floor: 0 });
  }

  /** Answers a request of the program. Rejects with WasiError or StarfishError. */
  async answer(request: Request): Promise<unknown> {
    switch (request.is) {
      case "take":
        return await this.#take(request.handle);
      case "give":
        return await this.#give(request.handle, request.bytes);
      case "give-back":
        return this.#stream(request.handle).input.release(request.bytes);
      case "close":
        return await this.#close(request.handle);
      case "fstat":
        return await this.#fstat(request.handle);
      case "list":
        return await this.#list(request.handle);
      case "open":
        return await this.#open(request);
      case "read":
      case "write":
      case "resize":
      case "sync":
      case "touch":
        return await this.#onFile(request);
      default:
        return await this.#onPath(request);
    }
  }

  /** Hears that an answer has been posted. */
  posted(request: Request, value: unknown): void {
    const handle = request.is === "take" ? this.#handles.get(request.handle) : undefined;
    if (handle?.is === "stream" && Array.isArray(value)) handle.input.posted(value as Uint8Array[]);
  }

  /** Closes what the program has left open. Rejects with the first error. */
  async end(): Promise<void> {
    let failure: unknown;
    for (const number of [...this.#handles.keys()]) await this.#close(number).catch((error) => (failure ??= error));
    if (failure !== undefined) throw failure;
  }

  #stream(number: number): Handle & { is: "stream" } {
    const handle = this.#handles.get(number);
    if (handle?.is !== "stream") throw new WasiError("badf");
    return handle;
  }

  async #take(number: number): Promise<Uint8Array[] | undefined> {
    const { stream, input } = this.#stream(number);
    if (stream.read === undefined) throw new WasiError("badf");
    return await input.take();
  }

  async #give(number: number, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const handle = this.#stream(number);
    if (handle.stream.write === undefined) throw new WasiError("badf");
    const written = handle.last.then(() => handle.stream.write?.(bytes));
    handle.last = written.catch(() => {});
    await written;
    return bytes.buffer.byteLength >= REUSED_BYTES_MIN ? bytes : undefined;
  }

  async #close(number: number): Promise<void> {
    const handle = this.#handles.get(number);
    this.#handles.delete(number);
    if (handle?.is === "file") await this.#files.release(handle.node);
    else if (handle?.is === "directory") this.#files.removeDirectory(handle.node);
    else if (handle !== undefined) {
      handle.input.release();
      await handle.stream.close?.();
    }
  }

  async #fstat(number: number): Promise<Filestat> {
    const handle = this.#handles.get(number);
    if (handle === undefined) throw new WasiError("badf");
    if (handle.is === "stream")
      return { type: handle.stream.type, sizeBytes: 0, modifiedAtNs: 0n, inode: BigInt(number + 1), links: 1 };
    if (handle.is === "directory") {
      const path = pathOf(handle.node);
      return this.#files.stat(path, await this.#entry(path));
    }
    const { node } = handle;
    return await node.inTurn(async () => {
      const { path, sizeBytes, modifiedAtMs, inode } = node;
      const at = nanoseconds(modifiedAtMs);
      const links = path === undefined ? 0 : ((await this.#files.tree.entry(path))?.links ?? 1);
      const times = { modifiedAtNs: at, accessedAtNs: at, ...this.#files.timesOf(path) };
      return { type: "file", sizeBytes, inode, links, ...times };
    });
  }

  async #list(number: number): Promise<DirectoryName[]> {
    const handle = this.#handles.get(number);
    if (handle?.is !== "directory") throw new WasiError("notdir");
    const path = pathOf(handle.node);
    const { tree } = this.#files;
    const entries = await tree.list(path);
    if (entries.length > ENTRIES_MAX)
      throw new StarfishError("too-large", `${path} has more than ${ENTRIES_MAX} files`);
    const name = (text: string): Uint8Array => this.#text.encode(text);
    const here = await this.#entry(path);
    const parent = `/${partsOf(path).slice(0, -1).join("/")}`;
    return [
      { name: name("."), type: "directory", inode: inodeOf(path, here) },
      { name: name(".."), type: "directory", inode: inodeOf(parent, (await tree.entry(parent)) ?? {}) },
      ...entries.map((entry) => ({
        name: name(entry.name),
        type: typeOf(entry.kind),
        inode: inodeOf(path === "/" ? `/${entry.name}` : `${path}/${entry.name}`, entry),
      })),
    ];
  }

  async #onFile(request: Request & { is: "read" | "write" | "resize" | "sync" | "touch" }): Promise<unknown> {
    const handle = this.#handles.get(request.handle);
    if (handle?.is === "directory") {
      if (request.is === "touch") this.#files.setTimes(pathOf(handle.node), timesIn(request));
      else if (request.is !== "sync") throw new WasiError("isdir");
      return undefined;
    }
    if (handle?.is !== "file") throw new WasiError("badf");
    const { node } = handle;
    return await node.inTurn(async () => {
      const nowMs = this.#files.clock.now();
      switch (request.is) {
        case "read":
          return await node.read(request.offset, Math.min(request.length, TRANSFER_BYTES_MAX));
        case "write":
          if (node.path !== undefined) this.#files.forgetTimes(node.path);
          return await node.write(request.offset, request.bytes, nowMs);
        case "resize":
          return await node.resize(request.sizeBytes, nowMs);
        case "sync":
          return await node.commit();
        case "touch": {
          if (node.path !== undefined) this.#files.setTimes(node.path, timesIn(request));
          return undefined;
        }
      }
    });
  }

  async #walk(number: number, path: string, follow: boolean): Promise<Walk> {
    const handle = this.#handles.get(number);
    if (handle === undefined) throw new WasiError("badf");
    if (handle.is !== "directory") throw new WasiError("notdir");
    const { tree } = this.#files;
    const base = number === HERE ? await this.#baseOf(path, pathOf(handle.node)) : pathOf(handle.node);
    return await walk({ path: base, floor: handle.floor }, path, follow, (at) => tree.readLink(at));
  }

  /** libc asks for absolute paths too relative to the descriptor of the current directory (paths.ts). */
  async #baseOf(path: string, here: string): Promise<string> {
    if (here === "/" || path.startsWith("..")) return here;
    const isAbsolute = isAbsoluteBy([...this.#run.args.slice(1), ...this.#run.environment.values()], path);
    if (isAbsolute !== undefined) return isAbsolute ? "/" : here;
    const [first] = partsOf(path);
    if (first === undefined || first === ".") return here;
    const isHere = (await this.#files.tree.entry(`${here}/${first}`)) !== undefined;
    if (isHere || (await this.#files.tree.entry(`/${first}`)) === undefined) return here;
    return "/";
  }

  async #entry(path: string): Promise<FileEntry> {
    const entry = await this.#files.tree.entry(path);
    if (entry === undefined) throw new WasiError("noent");
    return entry;
  }

  async #open(request: OpenRequest): Promise<unknown> {
    const text = this.#text.decode(request.path);
    const special = /^dev\/(?:fd\/\d+|std(?:in|out|err))$/.test(text)
      ? await this.#run.openStream(`/${text}`)
      : undefined;
    if (special !== undefined) return this.#add(streamHandle(special), special.type);
    const { path, isDirectory } = await this.#walk(request.directory, text, request.follow);
    const { tree } = this.#files;
    let entry = await tree.entry(path);
    if (entry?.kind === "link") throw new WasiError("loop");
    if (entry === undefined) {
      if (!request.create) throw new WasiError("noent");
      if (isDirectory || request.mustBeDirectory) throw new WasiError(request.mustBeDirectory ? "inval" : "isdir");
      const made = await tree.open(path, "write", { signal: this.#run.signal });
      await made.close?.();
      entry = (await tree.entry(path)) ?? { kind: "file", sizeBytes: 0 };
    } else if (request.create && request.exclusive) throw new WasiError("exist");
    if (entry.kind === "directory") {
      if (request.write || request.truncate) throw new WasiError("isdir");
      const node = this.#files.addDirectory(path);
      return this.#add({ is: "directory", node, floor: partsOf(path).length }, "directory");
    }
    if (request.mustBeDirectory || isDirectory) throw new WasiError("notdir");
    if (entry.kind !== "file") return this.#add(streamHandle(this.#device(path)), typeOf(entry.kind));
    const node = await this.#files.open(path, entry);
    if (request.truncate) {
      this.#files.forgetTimes(path);
      await node.inTurn(() => node.resize(0, this.#files.clock.now()));
    }
    return this.#add({ is: "file", node }, "file");
  }

  #add(handle: Handle, type: string): { handle: number; type: string } {
    const number = this.#next++;
    this.#handles.set(number, handle);
    return { handle: number, type };
  }

  /** /dev/null and the like: streams of bytes. */
  #device(path: string): ProgramStream {
    const { tree } = this.#files;
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#run.signal]);
    let reader: AsyncIterator<Uint8Array> | undefined;
    let writer: ReturnType<typeof tree.open> | undefined;
    return {
      type: "device",
      async read() {
        reader ??= tree.read(path, { signal })[Symbol.asyncIterator]();
        const { done, value } = await reader.next();
        return done === true ? undefined : value;
      },
      async write(bytes) {
        writer ??= tree.open(path, "append", { signal });
        await (await writer).write?.(bytes);
      },
      async close() {
        stop.abort(new StarfishError("closed", "The device is closed"));
        await reader?.return?.(undefined)?.catch(() => {});
        await (await writer)?.close?.();
      },
    };
  }

  async #onPath(
    request: Request & {
      is:
        | "stat"
        | "times"
        | "make-directory"
        | "unlink"
        | "remove-directory"
        | "read-link"
        | "rename"
        | "link"
        | "symlink";
    },
  ): Promise<unknown> {
    const { tree } = this.#files;
    const follow = request.follow || (request.is === "stat" && this.#text.decode(request.path).endsWith("/"));
    const { path, isDirectory } = await this.#walk(request.directory, this.#text.decode(request.path), follow);
    switch (request.is) {
      case "stat": {
        const entry = await this.#entry(path);
        if (isDirectory && entry.kind !== "directory") throw new WasiError("notdir");
        return this.#files.stat(path, entry);
      }
      case "times":
        await this.#entry(path);
        return this.#files.setTimes(path, timesIn(request));
      case "make-directory":
        return await tree.makeDirectory(path);
      case "unlink": {
        const entry = await this.#entry(path);
        if (entry.kind === "directory") throw new WasiError("isdir");
        if (isDirectory) throw new WasiError("notdir");
        return await this.#files.unlink(path);
      }
      case "remove-directory": {
        const entry = await this.#entry(path);
        if (entry.kind !== "directory") throw new WasiError("notdir");
        return await this.#files.removeFolder(path);
      }
      case "read-link": {
        const target = await tree.readLink(path);
        if (target === undefined) throw new WasiError((await tree.entry(path)) === undefined ? "noent" : "inval");
        return this.#text.encode(target);
      }
      case "symlink": {
        const target = this.#text.decode(request.target);
        if (target.startsWith("/")) throw new WasiError("notcapable");
        const there = await tree.entry(path);
        if (there !== undefined) throw new WasiError("exist");
        if (isDirectory) throw new WasiError("noent");
        return await tree.makeLink(path, target);
      }
      default:
        return await this.#onTwoPaths(request, path, isDirectory);
    }
  }

  async #onTwoPaths(request: Request & { is: "rename" | "link" }, path: string, isDirectory: boolean): Promise<void> {
    const { tree } = this.#files;
    const to = await this.#walk(request.toDirectory, this.#text.decode(request.toPath), false);
    const entry = await this.#entry(path);
    const target = await tree.entry(to.path);
    if (isDirectory && entry.kind !== "directory") throw new WasiError("notdir");
    if (request.is === "link") {
      if (entry.kind === "directory") throw new WasiError("perm");
      if (target !== undefined) throw new WasiError("exist");
      if (to.isDirectory) throw new WasiError("noent");
      return await tree.addName(path, to.path);
    }
    if (to.isDirectory && entry.kind !== "directory") throw new WasiError("notdir");
    if (entry.kind === "directory" && target !== undefined && target.kind !== "directory")
      throw new WasiError("notdir");
    if (entry.kind !== "directory" && target?.kind === "directory") throw new WasiError("isdir");
    if (entry.kind === "directory" && to.path.startsWith(`${path}/`)) throw new WasiError("inval");
    await this.#files.rename(path, to.path);
  }
}

function streamHandle(stream: ProgramStream): Handle {
  return { is: "stream", stream, input: new Input(stream), last: Promise.resolve() };
}

function pathOf({ path }: OpenDirectoryNode): string {
  if (path === undefined) throw new WasiError("noent");
  return path;
}

function timesIn({ modifiedAtNs, accessedAtNs }: Times): Times {
  return {
    ...(modifiedAtNs === undefined ? {} : { modifiedAtNs }),
    ...(accessedAtNs === undefined ? {} : { accessedAtNs }),
  };
}
