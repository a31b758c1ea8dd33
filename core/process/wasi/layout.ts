/** Numbers of WASI preview 1 (witx/wasi_snapshot_preview1.witx). */
import type { Filetype } from "../messages.ts";

export const FILETYPE: Readonly<Record<Filetype, number>> = {
  device: 2,
  terminal: 2,
  directory: 3,
  file: 4,
  pipe: 0,
  link: 7,
};

type Right =
  | "fdDatasync"
  | "fdRead"
  | "fdSeek"
  | "fdFdstatSetFlags"
  | "fdSync"
  | "fdTell"
  | "fdWrite"
  | "fdAdvise"
  | "fdAllocate"
  | "pathCreateDirectory"
  | "pathCreateFile"
  | "pathLinkSource"
  | "pathLinkTarget"
  | "pathOpen"
  | "fdReaddir"
  | "pathReadlink"
  | "pathRenameSource"
  | "pathRenameTarget"
  | "pathFilestatGet"
  | "pathFilestatSetSize"
  | "pathFilestatSetTimes"
  | "fdFilestatGet"
  | "fdFilestatSetSize"
  | "fdFilestatSetTimes"
  | "pathSymlink"
  | "pathRemoveDirectory"
  | "pathUnlinkFile"
  | "pollFdReadwrite"
  | "sockShutdown";

export const RIGHT: Readonly<Record<Right, bigint>> = {
  fdDatasync: 1n << 0n,
  fdRead: 1n << 1n,
  fdSeek: 1n << 2n,
  fdFdstatSetFlags: 1n << 3n,
  fdSync: 1n << 4n,
  fdTell: 1n << 5n,
  fdWrite: 1n << 6n,
  fdAdvise: 1n << 7n,
  fdAllocate: 1n << 8n,
  pathCreateDirectory: 1n << 9n,
  pathCreateFile: 1n << 10n,
  pathLinkSource: 1n << 11n,
  pathLinkTarget: 1n << 12n,
  pathOpen: 1n << 13n,
  fdReaddir: 1n << 14n,
  pathReadlink: 1n << 15n,
  pathRenameSource: 1n << 16n,
  pathRenameTarget: 1n << 17n,
  pathFilestatGet: 1n << 18n,
  pathFilestatSetSize: 1n << 19n,
  pathFilestatSetTimes: 1n << 20n,
  fdFilestatGet: 1n << 21n,
  fdFilestatSetSize: 1n << 22n,
  fdFilestatSetTimes: 1n << 23n,
  pathSymlink: 1n << 24n,
  pathRemoveDirectory: 1n << 25n,
  pathUnlinkFile: 1n << 26n,
  pollFdReadwrite: 1n << 27n,
  sockShutdown: 1n << 28n,
};

const some = (...rights: bigint[]): bigint => rights.reduce((all, right) => all | right, 0n);

export const RIGHTS_DIRECTORY: bigint = some(
  RIGHT.fdFdstatSetFlags,
  RIGHT.fdSync,
  RIGHT.fdAdvise,
  RIGHT.pathCreateDirectory,
  RIGHT.pathCreateFile,
  RIGHT.pathLinkSource,
  RIGHT.pathLinkTarget,
  RIGHT.pathOpen,
  RIGHT.fdReaddir,
  RIGHT.pathReadlink,
  RIGHT.pathRenameSource,
  RIGHT.pathRenameTarget,
  RIGHT.pathFilestatGet,
  RIGHT.pathFilestatSetSize,
  RIGHT.pathFilestatSetTimes,
  RIGHT.fdFilestatGet,
  RIGHT.fdFilestatSetTimes,
  RIGHT.pathSymlink,
  RIGHT.pathRemoveDirectory,
  RIGHT.pathUnlinkFile,
  RIGHT.pollFdReadwrite,
);

export const RIGHTS_FILE: bigint = some(
  RIGHT.fdDatasync,
  RIGHT.fdRead,
  RIGHT.fdSeek,
  RIGHT.fdFdstatSetFlags,
  RIGHT.fdSync,
  RIGHT.fdTell,
  RIGHT.fdWrite,
  RIGHT.fdAdvise,
  RIGHT.fdAllocate,
  RIGHT.fdFilestatGet,
  RIGHT.fdFilestatSetSize,
  RIGHT.fdFilestatSetTimes,
  RIGHT.pollFdReadwrite,
);

/** Streams lack the right to seek, by which libc recognises a terminal. */
export const RIGHTS_STREAM: bigint = some(
  RIGHT.fdRead,
  RIGHT.fdWrite,
  RIGHT.fdFdstatSetFlags,
  RIGHT.fdFilestatGet,
  RIGHT.pollFdReadwrite,
);

export const FDFLAG = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;
export const OFLAG = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
export const FSTFLAG = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8 } as const;
export const LOOKUP_FOLLOW = 1;
export const CLOCK = { realtime: 0, monotonic: 1, processCpu: 2, threadCpu: 3 } as const;
export const EVENT = { clock: 0, fdRead: 1, fdWrite: 2 } as const;
