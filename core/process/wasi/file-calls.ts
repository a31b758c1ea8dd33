/** Calls on descriptors: reading, writing, seeking, attributes. */
import type { DirectoryName, Filestat, Times } from "../messages.ts";
import { ERRNO, WasiError } from "../../sandbox/wasi/errno.ts";
import { lengthOf, type Slice } from "../../sandbox/wasi/guest-memory.ts";
import { FDFLAG, FILETYPE, FSTFLAG, RIGHT } from "./layout.ts";
import type { Open, RegularFile } from "./open.ts";
import type { Import, Program } from "./program.ts";

const OFFSET_MAX = BigInt(Number.MAX_SAFE_INTEGER);

export function fileCalls(program: Program): Readonly<Record<string, Import>> {
  const { memory, table, channel } = program;
  return {
    fd_read: (fd: number, iovs: number, count: number, out: number) =>
      read(program, table.get(fd, RIGHT.fdRead), memory.vectors(iovs, count), out),
    fd_pread(fd: number, iovs: number, count: number, offset: bigint, out: number) {
      const file = seekable(table.get(fd, RIGHT.fdRead));
      return readAt(program, file, offsetOf(offset), memory.vectors(iovs, count), out);
    },
    fd_write: (fd: number, iovs: number, count: number, out: number) =>
      write(program, table.get(fd, RIGHT.fdWrite), memory.vectors(iovs, count), out),
    fd_pwrite(fd: number, iovs: number, count: number, offset: bigint, out: number) {
      const file = seekable(table.get(fd, RIGHT.fdWrite));
      const bytes = memory.gather(memory.vectors(iovs, count));
      forgetOthers(program, file);
      // As on Linux, a write to a file that was opened for appending always goes to its end.
      const at = (file.flags & FDFLAG.append) === 0 ? offsetOf(offset) : undefined;
      memory.u32(out, bytes.length);
      return bytes.length === 0 ? undefined : file.write(at, bytes);
    },
    fd_seek: (fd: number, offset: bigint, whence: number, out: number) =>
      seek(program, table.get(fd), offset, whence, out),
    fd_tell(fd: number, out: number) {
      memory.u64(out, BigInt(seekable(table.get(fd, RIGHT.fdTell)).position));
    },
    async fd_close(fd: number) {
      const open = table.get(fd);
      table.remove(fd);
      await closed(program, open);
    },
    async fd_renumber(fd: number, to: number) {
      const open = table.get(fd);
      const replaced = table.get(to);
      if (fd === to) return;
      table.set(to, open);
      table.remove(fd);
      await closed(program, replaced);
    },
    fd_advise(fd: number, _offset: bigint, _length: bigint, advice: number) {
      const open = table.get(fd, RIGHT.fdAdvise);
      if (open.is === "directory") return ERRNO.badf;
      return advice > 5 ? ERRNO.inval : ERRNO.success;
    },
    async fd_allocate(fd: number, offset: bigint, length: bigint) {
      const file = seekable(table.get(fd, RIGHT.fdAllocate));
      const end = offsetOf(offset) + offsetOf(length);
      const { sizeBytes } = await stat(program, file);
      if (end > sizeBytes) await channel.call({ is: "resize", handle: file.handle, sizeBytes: end });
    },
    fd_sync: (fd: number) => synchronised(program, table.get(fd, RIGHT.fdSync)),
    fd_datasync: (fd: number) => synchronised(program, table.get(fd)),
    fd_fdstat_get(fd: number, out: number) {
      const open = table.get(fd);
      memory.bytes(out, 24).fill(0);
      memory.u8(out, FILETYPE[open.type]);
      memory.u16(out + 2, open.flags);
      memory.u64(out + 8, open.rights);
      memory.u64(out + 16, open.inheriting);
    },
    fd_fdstat_set_flags(fd: number, flags: number) {
      const open = table.get(fd, RIGHT.fdFdstatSetFlags);
      if ((flags & ~(FDFLAG.append | FDFLAG.nonblock)) !== 0) return ERRNO.notsup;
      open.flags = flags;
      return ERRNO.success;
    },
    fd_fdstat_set_rights(fd: number, rights: bigint, inheriting: bigint) {
      const open = table.get(fd);
      if ((rights & ~open.rights) !== 0n || (inheriting & ~open.inheriting) !== 0n) return ERRNO.notcapable;
      open.rights = rights;
      open.inheriting = inheriting;
      return ERRNO.success;
    },
    async fd_filestat_get(fd: number, out: number) {
      const open = table.get(fd);
      writeFilestat(program, out, await stat(program, open));
    },
    async fd_filestat_set_size(fd: number, size: bigint) {
      const file = seekable(table.get(fd, RIGHT.fdFilestatSetSize));
      if ((file.rights & RIGHT.fdWrite) === 0n) throw new WasiError("inval");
      const sizeBytes = offsetOf(size);
      await program.settle();
      await channel.call({ is: "resize", handle: file.handle, sizeBytes });
    },
    async fd_filestat_set_times(fd: number, accessed: bigint, modified: bigint, flags: number) {
      const open = table.get(fd, RIGHT.fdFilestatSetTimes);
      const times = timesOf(program, accessed, modified, flags);
      await program.settle();
      await channel.call({ is: "touch", handle: open.handle, ...times });
    },
    fd_readdir: (fd: number, at: number, length: number, cookie: bigint, out: number) =>
      readDirectory(program, fd, at, length, cookie, out),
    fd_prestat_get(fd: number, out: number) {
      const { preopen } = preopened(program, fd);
      memory.u32(out, 0);
      memory.u32(out + 4, preopen.length);
    },
    fd_prestat_dir_name(fd: number, at: number, length: number) {
      const { preopen } = preopened(program, fd);
      if (length >>> 0 < preopen.length) return ERRNO.nametoolong;
      memory.bytes(at, preopen.length).set(preopen);
      return ERRNO.success;
    },
  };
}

function read(program: Program, open: Open, into: readonly Slice[], out: number): Promise<void> | void {
  const { memory } = program;
  if (open.is === "directory") throw new WasiError("isdir");
  if (open.is === "file") {
    const { position } = open;
    const advance = (length: number): void => {
      open.position = position + length;
    };
    return readAt(program, open, position, into, out, advance);
  }
  const length = lengthOf(into);
  if (length === 0) return memory.u32(out, 0);
  const take = (): void => {
    const bytes = open.takeNow(length) ?? new Uint8Array(0);
    memory.scatter(into, bytes);
    memory.u32(out, bytes.length);
  };
  if (open.isReadable) return take();
  if ((open.flags & FDFLAG.nonblock) !== 0) throw new WasiError("again");
  program.send();
  return open.ready().then(take);
}

function readAt(
  program: Program,
  file: RegularFile,
  at: number,
  into: readonly Slice[],
  out: number,
  done?: (length: number) => void,
): Promise<void> | void {
  const { memory } = program;
  const length = lengthOf(into);
  const take = (bytes: Uint8Array): void => {
    memory.scatter(into, bytes);
    memory.u32(out, bytes.length);
    done?.(bytes.length);
  };
  if (length === 0) return take(new Uint8Array(0));
  const ahead = file.readNow(at, length);
  if (ahead !== undefined) return take(ahead);
  return settleOthers(program).then(async () => take(await file.read(at, length)));
}

async function settleOthers(program: Program): Promise<void> {
  program.send();
  for (const file of program.table.files()) if (file.isUnsettled) await file.settle();
}

/** Makes other descriptors of the same file see what is written. */
function forgetOthers(program: Program, file: RegularFile): void {
  for (const other of program.table.files()) if (other !== file) other.forget();
}

function write(program: Program, open: Open, from: readonly Slice[], out: number): Promise<void> | void {
  const { memory } = program;
  if (open.is === "directory") throw new WasiError("isdir");
  const length = lengthOf(from);
  memory.u32(out, length);
  if (length === 0) return;
  if (open.is === "stream") return open.write(from.map((slice) => memory.bytes(slice.at, slice.length)));
  const bytes = memory.gather(from);
  forgetOthers(program, open);
  if ((open.flags & FDFLAG.append) !== 0) {
    return (async () => {
      await open.write(undefined, bytes);
      await open.settle();
      open.position = (await stat(program, open)).sizeBytes;
    })();
  }
  const at = open.position;
  if (at + bytes.length > Number.MAX_SAFE_INTEGER) throw new WasiError("fbig");
  open.position = at + bytes.length;
  return open.write(at, bytes);
}

function seek(program: Program, open: Open, offset: bigint, whence: number, out: number): Promise<void> | void {
  const needed = whence === 1 && offset === 0n ? RIGHT.fdTell : RIGHT.fdSeek;
  if (open.is === "directory") throw new WasiError("badf");
  const file = seekable(open);
  if ((open.rights & needed) === 0n) throw new WasiError("notcapable");
  const go = (from: number): void => {
    const to = BigInt(from) + offset;
    if (to < 0n || to > OFFSET_MAX) throw new WasiError("inval");
    file.position = Number(to);
    program.memory.u64(out, to);
  };
  if (whence === 0) return go(0);
  if (whence === 1) return go(file.position);
  if (whence !== 2) throw new WasiError("inval");
  return stat(program, file).then(({ sizeBytes }) => go(sizeBytes));
}

function seekable(open: Open): RegularFile {
  if (open.is === "stream") throw new WasiError("spipe");
  if (open.is === "directory") throw new WasiError("isdir");
  return open;
}

function offsetOf(value: bigint): number {
  const offset = BigInt.asUintN(64, value);
  if (offset > OFFSET_MAX) throw new WasiError("inval");
  return Number(offset);
}

async function closed(program: Program, open: Open): Promise<void> {
  const { channel } = program;
  if (open.is === "file") await open.settle();
  if (open.is === "stream") {
    await open.drain();
    await open.release();
  }
  await channel.call({ is: "close", handle: open.handle });
}

async function synchronised(program: Program, open: Open): Promise<void> {
  if (open.is === "stream") return await open.drain();
  await program.settle();
  await program.channel.call({ is: "sync", handle: open.handle });
}

async function stat(program: Program, open: Open): Promise<Filestat> {
  await settleOthers(program);
  return (await program.channel.call({ is: "fstat", handle: open.handle })) as Filestat;
}

export function writeFilestat({ memory }: Program, out: number, filestat: Filestat): void {
  const modified = filestat.modifiedAtNs;
  const accessed = filestat.accessedAtNs ?? modified;
  memory.bytes(out, 64).fill(0);
  memory.u64(out, 1n);
  memory.u64(out + 8, filestat.inode);
  memory.u8(out + 16, FILETYPE[filestat.type]);
  memory.u64(out + 24, BigInt(filestat.links));
  memory.u64(out + 32, BigInt(filestat.sizeBytes));
  memory.u64(out + 40, accessed);
  memory.u64(out + 48, modified);
  memory.u64(out + 56, modified);
}

/** Throws EINVAL for flags that contradict each other. */
export function timesOf({ clock }: Program, accessed: bigint, modified: bigint, flags: number): Times {
  const { atim, atimNow, mtim, mtimNow } = FSTFLAG;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if ((has(atim) && has(atimNow)) || (has(mtim) && has(mtimNow)) || flags > 15) throw new WasiError("inval");
  const now = BigInt(Math.round(clock.now() * 1000)) * 1000n;
  return {
    ...(has(mtim) ? { modifiedAtNs: BigInt.asUintN(64, modified) } : has(mtimNow) ? { modifiedAtNs: now } : {}),
    ...(has(atim) ? { accessedAtNs: BigInt.asUintN(64, accessed) } : has(atimNow) ? { accessedAtNs: now } : {}),
  };
}

async function readDirectory(
  program: Program,
  fd: number,
  at: number,
  length: number,
  cookie: bigint,
  out: number,
): Promise<void> {
  const { memory, table, channel } = program;
  const directory = table.directory(fd, RIGHT.fdReaddir);
  memory.bytes(at, length);
  if (cookie === 0n || directory.entries === undefined) {
    await settleOthers(program);
    directory.entries = (await channel.call({ is: "list", handle: directory.handle })) as DirectoryName[];
  }
  let used = 0;
  const { entries } = directory;
  for (let i = Number(cookie); i < entries.length && used < length; i++) {
    const entry = entries[i];
    if (entry === undefined) break;
    const record = new Uint8Array(24 + entry.name.length);
    const view = new DataView(record.buffer);
    view.setBigUint64(0, BigInt(i + 1), true);
    view.setBigUint64(8, entry.inode, true);
    view.setUint32(16, entry.name.length, true);
    view.setUint8(20, FILETYPE[entry.type]);
    record.set(entry.name, 24);
    // The last record may be cut: a full buffer tells the program that there are more.
    const part = record.subarray(0, length - used);
    memory.bytes(at + used, part.length).set(part);
    used += part.length;
  }
  memory.u32(out, used);
}

function preopened({ table }: Program, fd: number): { preopen: Uint8Array } {
  const open = table.get(fd);
  if (open.is !== "directory" || open.preopen === undefined) throw new WasiError("badf");
  return { preopen: open.preopen };
}
