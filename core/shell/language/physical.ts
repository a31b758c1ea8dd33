/** Paths without symbolic links in them, as `cd -P`, `pwd -P` and `realpath` want them. Pure but for `readLink`. */
import { ShellFault } from "./faults.ts";

/** Symbolic links followed in one path, as in Linux. */
const HOPS_MAX = 40;

type ReadLink = ((path: string) => { readonly target: string } | undefined) | undefined;

/** `target` seen from the directory `from`, which is absolute; each link gives way to where it leads. */
export function physicalPath(from: string, target: string, readLink: ReadLink): string {
  const at: string[] = [];
  const left = [...(target.startsWith("/") ? [] : from.split("/")), ...target.split("/")];
  for (let hops = 0; left.length > 0;) {
    const name = left.shift() ?? "";
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at.pop();
      continue;
    }
    at.push(name);
    const link = readLink?.(`/${at.join("/")}`);
    if (link === undefined) continue;
    if (++hops > HOPS_MAX) throw new ShellFault(`${target}: Too many levels of symbolic links`);
    if (link.target.startsWith("/")) at.length = 0;
    else at.pop();
    left.unshift(...link.target.split("/"));
  }
  return `/${at.join("/")}`;
}
