/** The session's namespace in the form that programs need (process/types.ts). */
import type { FileEntry, FileTree } from "../../process/types.ts";
import type { Namespace } from "../namespace/namespace.ts";

export function programTree(names: Namespace): FileTree {
  return {
    async entry(path, options = {}): Promise<FileEntry | undefined> {
      const link = names.readLink(path);
      if (link !== undefined) {
        const { target, madeAtMs } = link;
        return { kind: "link", sizeBytes: target.length, modifiedAtMs: madeAtMs, links: 1, identity: `link:${path}` };
      }
      return await names.entry(path, options);
    },
    list: (path, options) => names.list(path, options),
    read: (path, options) => names.read(path, options),
    write: (path, source, options) => names.write(path, source, options),
    open: (path, mode, options) => names.open(path, mode, options),
    makeDirectory: (path, options) => names.makeDirectory(path, options),
    remove: (path, options) => names.remove(path, options),
    rename: (from, to, options) => names.rename(from, to, options),
    readLink: (path) => Promise.resolve(names.readLink(path)?.target),
    async makeLink(path, target) {
      names.makeLink(path, target);
      await Promise.resolve();
    },
    async addName(from, to) {
      names.addName(from, to);
      await Promise.resolve();
    },
  };
}
