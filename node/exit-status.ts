/** Exit statuses of the program itself, from sysexits.h. A command line of `sh` has its own status. */
import { isStarfishError, type ErrorCode } from "../core/base/errors.ts";

export const EXIT = {
  ok: 0,
  usage: 64,
  dataError: 65,
  unavailable: 69,
  software: 70,
  cannotCreate: 73,
  ioError: 74,
  temporary: 75,
  noPermission: 77,
  interrupted: 130,
  brokenPipe: 141,
} as const;

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  usage: EXIT.usage,
  "bad-invite": EXIT.dataError,
  "bad-certificate": EXIT.dataError,
  malformed: EXIT.dataError,
  "not-found": EXIT.unavailable,
  unreachable: EXIT.unavailable,
  unsupported: EXIT.unavailable,
  "version-mismatch": EXIT.unavailable,
  "link-closed": EXIT.unavailable,
  "in-use": EXIT.temporary,
  busy: EXIT.temporary,
  timeout: EXIT.temporary,
  io: EXIT.ioError,
  cancelled: EXIT.interrupted,
};

/** The program's exit status after this error. An error that is not a StarfishError is a bug of ours. */
export function exitStatusOf(error: unknown): number {
  return isStarfishError(error) ? (BY_CODE[error.code] ?? EXIT.unavailable) : EXIT.software;
}
