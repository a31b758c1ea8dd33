/** A program's descriptors by number, with their rights. */
import { DESCRIPTORS_MAX } from "../limits.ts";
import { WasiError } from "../../sandbox/wasi/errno.ts";
import type { Open, OpenDirectory, RegularFile } from "./open.ts";

export class DescriptorTable {
  readonly #table = new Map<number, Open>();

  /** Throws EBADF, or ENOTCAPABLE if the descriptor lacks the rights. */
  get(fd: number, rights = 0n): Open {
    const open = this.#table.get(fd);
    if (open === undefined) throw new WasiError("badf");
    if ((open.rights & rights) !== rights) throw new WasiError("notcapable");
    return open;
  }

  directory(fd: number, rights = 0n): OpenDirectory {
    const open = this.get(fd);
    if (open.is !== "directory") throw new WasiError("notdir");
    if ((open.rights & rights) !== rights) throw new WasiError("notcapable");
    return open;
  }

  /** The lowest free number. */
  add(open: Open): number {
    if (this.#table.size >= DESCRIPTORS_MAX) throw new WasiError("mfile");
    let fd = 0;
    while (this.#table.has(fd)) fd++;
    this.#table.set(fd, open);
    return fd;
  }

  set(fd: number, open: Open): void {
    this.#table.set(fd, open);
  }

  remove(fd: number): void {
    this.#table.delete(fd);
  }

  get all(): Iterable<Open> {
    return this.#table.values();
  }

  *files(): Generator<RegularFile, void, undefined> {
    for (const open of this.#table.values()) if (open.is === "file") yield open;
  }

  get size(): number {
    return this.#table.size;
  }
}
