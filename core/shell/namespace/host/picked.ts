/** Files that the user has picked, on hosts without paths; they stay readable under /host while the session lasts. */
import type { Host, HostFile } from "../../types.ts";
import { partOfPath } from "../view.ts";
import { PICKED_MAX } from "./limits.ts";

export interface Picked {
  /** The host; files that are picked through it are remembered. */
  readonly host: Host;
  readonly files: ReadonlyMap<string, HostFile>;
}

/** Undefined if the host has directories. */
export function rememberPicked(host: Host): Picked | undefined {
  if (host.listDirectory !== undefined) return undefined;
  const files = new Map<string, HostFile>();
  const remember = (file: HostFile): HostFile => {
    const name = freeName(partOfPath(file.name) || "file", file, files);
    files.delete(name);
    files.set(name, file);
    if (files.size > PICKED_MAX) files.delete(files.keys().next().value ?? "");
    // A command closes the file that it has read, but the user may want to read it again.
    return { ...file, read: (at, length) => file.read(at, length), close: () => Promise.resolve() };
  };
  const remembering: Host = {
    ...host,
    openFile: async (path, options) => remember(await host.openFile(path, options)),
  };
  if (host.pickFiles === undefined) return { host: remembering, files };
  const pickFiles: Host["pickFiles"] = async (options) => ((await host.pickFiles?.(options)) ?? []).map(remember);
  return { host: { ...remembering, pickFiles }, files };
}

/** The same file picked again replaces itself; another file of the same name gets a new name. */
function freeName(name: string, file: HostFile, files: ReadonlyMap<string, HostFile>): string {
  const isOwn = (other: HostFile | undefined): boolean =>
    other === undefined || (other.sizeBytes === file.sizeBytes && other.modifiedAtMs === file.modifiedAtMs);
  if (isOwn(files.get(name))) return name;
  const dot = name.lastIndexOf(".");
  const [stem, end] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  for (let i = 2; ; i++) if (isOwn(files.get(`${stem} (${i})${end}`))) return `${stem} (${i})${end}`;
}
