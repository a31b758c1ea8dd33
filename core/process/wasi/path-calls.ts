/**
 * Calls that take a path relative to an open directory. The node walks the path, and refuses to leave the directory.
 */
import type { Filestat, Opened } from "../messages.ts";
import { PATH_BYTES_MAX } from "../limits.ts";
import { ERRNO, WasiError } from "../../sandbox/wasi/errno.ts";
import { timesOf, writeFilestat } from "./file-calls.ts";
import { FDFLAG, LOOKUP_FOLLOW, OFLAG, RIGHT, RIGHTS_DIRECTORY, RIGHTS_FILE, RIGHTS_STREAM } from "./layout.ts";
import { RegularFile, Stream, type Open } from "./open.ts";
import type { Import, Program } from "./program.ts";

export function pathCalls(program: Program): Readonly<Record<string, Import>> {
  const { memory, channel } = program;
  const place = (
    fd: number,
    flags: number,
    at: number,
    length: number,
    rights: bigint,
  ): { directory: number; path: Uint8Array<ArrayBuffer>; follow: boolean } => ({
    directory: program.table.directory(fd, rights).handle,
    path: pathAt(program, at, length),
    follow: (flags & LOOKUP_FOLLOW) !== 0,
  });
  return {
    path_open: (
      fd: number,
      lookup: number,
      at: number,
      length: number,
      oflags: number,
      rights: bigint,
      inheriting: bigint,
      fdflags: number,
      out: number,
    ) => open(program, { fd, lookup, path: pathAt(program, at, length), oflags, rights, inheriting, fdflags, out }),
    async path_filestat_get(fd: number, lookup: number, at: number, length: number, out: number) {
      const from = place(fd, lookup, at, length, RIGHT.pathFilestatGet);
      await program.settle();
      writeFilestat(program, out, (await channel.call({ is: "stat", ...from })) as Filestat);
    },
    async path_filestat_set_times(
      fd: number,
      lookup: number,
      at: number,
      length: number,
      accessed: bigint,
      modified: bigint,
      flags: number,
    ) {
      const from = place(fd, lookup, at, length, RIGHT.pathFilestatSetTimes);
      const times = timesOf(program, accessed, modified, flags);
      await program.settle();
      await channel.call({ is: "times", ...from, ...times });
    },
    async path_create_directory(fd: number, at: number, length: number) {
      const from = place(fd, 0, at, length, RIGHT.pathCreateDirectory);
      await channel.call({ is: "make-directory", ...from });
    },
    async path_unlink_file(fd: number, at: number, length: number) {
      const from = place(fd, 0, at, length, RIGHT.pathUnlinkFile);
      await program.settle();
      await channel.call({ is: "unlink", ...from });
    },
    async path_remove_directory(fd: number, at: number, length: number) {
      const from = place(fd, 0, at, length, RIGHT.pathRemoveDirectory);
      await program.settle();
      await channel.call({ is: "remove-directory", ...from });
    },
    async path_rename(fd: number, at: number, length: number, toFd: number, toAt: number, toLength: number) {
      const from = place(fd, 0, at, length, RIGHT.pathRenameSource);
      const to = place(toFd, 0, toAt, toLength, RIGHT.pathRenameTarget);
      await program.settle();
      await channel.call({ is: "rename", ...from, toDirectory: to.directory, toPath: to.path });
    },
    async path_link(
      fd: number,
      lookup: number,
      at: number,
      length: number,
      toFd: number,
      toAt: number,
      toLength: number,
    ) {
      const from = place(fd, lookup, at, length, RIGHT.pathLinkSource);
      const to = place(toFd, 0, toAt, toLength, RIGHT.pathLinkTarget);
      await program.settle();
      await channel.call({ is: "link", ...from, toDirectory: to.directory, toPath: to.path });
    },
    async path_symlink(targetAt: number, targetLength: number, fd: number, at: number, length: number) {
      const target = pathAt(program, targetAt, targetLength);
      const from = place(fd, 0, at, length, RIGHT.pathSymlink);
      await channel.call({ is: "symlink", ...from, target });
    },
    async path_readlink(fd: number, at: number, length: number, into: number, intoLength: number, out: number) {
      const from = place(fd, 0, at, length, RIGHT.pathReadlink);
      const target = ((await channel.call({ is: "read-link", ...from })) as Uint8Array).subarray(0, intoLength >>> 0);
      memory.bytes(into, target.length).set(target);
      memory.u32(out, target.length);
    },
  };
}

function pathAt({ memory }: Program, at: number, length: number): Uint8Array<ArrayBuffer> {
  if (length >>> 0 > PATH_BYTES_MAX) throw new WasiError("nametoolong");
  const path = memory.bytes(at, length).slice();
  if (path.includes(0)) throw new WasiError("inval");
  return path;
}

interface OpenCall {
  readonly fd: number;
  readonly lookup: number;
  readonly path: Uint8Array;
  readonly oflags: number;
  readonly rights: bigint;
  readonly inheriting: bigint;
  readonly fdflags: number;
  readonly out: number;
}

async function open(program: Program, call: OpenCall): Promise<number> {
  const { channel, table, memory } = program;
  const has = (flag: number): boolean => (call.oflags & flag) !== 0;
  const directory = table.directory(call.fd, RIGHT.pathOpen);
  if (has(OFLAG.create) && (directory.rights & RIGHT.pathCreateFile) === 0n) throw new WasiError("notcapable");
  if (has(OFLAG.truncate) && (directory.rights & RIGHT.pathFilestatSetSize) === 0n) throw new WasiError("notcapable");
  await program.settle();
  const opened = (await channel.call({
    is: "open",
    directory: directory.handle,
    path: call.path,
    follow: (call.lookup & LOOKUP_FOLLOW) !== 0,
    create: has(OFLAG.create),
    exclusive: has(OFLAG.exclusive),
    truncate: has(OFLAG.truncate),
    mustBeDirectory: has(OFLAG.directory),
    write: (call.rights & RIGHT.fdWrite) !== 0n,
  })) as Opened;
  const fd = table.add(describe(program, opened, call, directory.inheriting));
  memory.u32(call.out, fd);
  return ERRNO.success;
}

/** The rights to read and write are those that were asked for; the others are inherited from the directory. */
function describe(program: Program, { handle, type }: Opened, call: OpenCall, inherited: bigint): Open {
  const withheld = (RIGHT.fdRead | RIGHT.fdWrite) & ~call.rights;
  const inheriting = inherited & call.inheriting;
  if (type === "directory") {
    return {
      is: "directory",
      type,
      handle,
      rights: RIGHTS_DIRECTORY & inherited,
      inheriting: inherited & (inheriting === 0n ? inherited : RIGHTS_DIRECTORY | inheriting | RIGHTS_FILE),
      flags: call.fdflags,
    };
  }
  if (type === "file")
    return new RegularFile(program.channel, handle, RIGHTS_FILE & inherited & ~withheld, 0n, call.fdflags);
  const stream = new Stream(program.channel, program.clock, handle, type, RIGHTS_STREAM & ~withheld);
  stream.flags = call.fdflags & FDFLAG.nonblock;
  return stream;
}
