/** Error numbers of WASI preview 1 ("errno"), and our errors for which they stand. */
import { StarfishError, type ErrorCode } from "../../base/errors.ts";

export const ERRNO = {
  success: 0,
  acces: 2,
  again: 6,
  badf: 8,
  busy: 10,
  exist: 20,
  fault: 21,
  fbig: 22,
  ilseq: 25,
  inval: 28,
  io: 29,
  isdir: 31,
  loop: 32,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  nospc: 51,
  nosys: 52,
  notdir: 54,
  notempty: 55,
  notsock: 57,
  notsup: 58,
  perm: 63,
  pipe: 64,
  rofs: 69,
  spipe: 70,
  xdev: 75,
  notcapable: 76,
} as const;

/** The error of a program's call; the program gets its number. */
export class WasiError extends Error {
  override readonly name = "WasiError";
  readonly errno: number;

  constructor(errno: keyof typeof ERRNO) {
    super(`errno ${errno}`);
    this.errno = ERRNO[errno];
  }
}

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  "not-found": ERRNO.noent,
  "not-a-directory": ERRNO.notdir,
  "is-a-directory": ERRNO.isdir,
  "not-empty": ERRNO.notempty,
  exists: ERRNO.exist,
  full: ERRNO.nospc,
  "too-large": ERRNO.fbig,
  unsupported: ERRNO.notsup,
  closed: ERRNO.pipe,
  "in-use": ERRNO.busy,
  busy: ERRNO.again,
};

/** Undefined for a defect of this code. */
export function errnoOf(error: unknown): number | undefined {
  if (error instanceof WasiError) return error.errno;
  if (error instanceof StarfishError) return BY_CODE[error.code] ?? ERRNO.io;
  return undefined;
}
