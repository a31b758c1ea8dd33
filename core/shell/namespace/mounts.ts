/**
 * What is mounted where in a session. A new kind of tree is a folder beside this file, and a line here (docs/trees.md).
 */
import type { Computer } from "../../computer.ts";
import type { Descriptors } from "../language/descriptor.ts";
import type { Command, Host } from "../types.ts";
import { binTree } from "./bin/tree.ts";
import { devTree, type SessionTerminal } from "./dev/tree.ts";
import { FilesTree } from "./files/tree.ts";
import type { Picked } from "./host/picked.ts";
import { hostTree } from "./host/tree.ts";
import { mailTree } from "./mail/tree.ts";
import { LazyTree } from "./lazy.ts";
import { MemoryTree } from "./mem/tree.ts";
import type { Mount } from "./namespace.ts";
import { netTree } from "./net/tree.ts";
import type { Processes } from "./proc/processes.ts";
import { procTree } from "./proc/tree.ts";
import { TemporaryTree } from "./temporary/tree.ts";
import { writerNames } from "./writers.ts";

export interface MountParts {
  readonly computer: Computer;
  readonly host: Host;
  /** The picked files, if the host has no directories. */
  readonly picked: Picked | undefined;
  readonly processes: Processes;
  readonly terminal: SessionTerminal;
  readonly descriptors: () => Descriptors;
  readonly commands: () => Iterable<Pick<Command, "name" | "summary" | "help">>;
}

export function mounts(parts: MountParts): Mount[] {
  const { computer, host, picked, commands } = parts;
  const { files, memory, net, clock } = computer;
  const nameOf = writerNames(computer);
  return [
    { path: "/", tree: new FilesTree(files, nameOf) },
    { path: "/bin", tree: binTree({ commands }) },
    { path: "/dev", tree: devTree({ ...computer, ...parts }) },
    { path: "/host", tree: hostTree(host, picked, clock) },
    { path: "/mail", tree: mailTree(computer.mail) },
    { path: "/inbox", tree: new LazyTree(async () => new (await import("./inbox/tree.ts")).InboxTree(computer)) },
    { path: "/mem", tree: new MemoryTree({ memory, clock, nameOf }) },
    { path: "/net", tree: netTree(net) },
    { path: "/proc", tree: procTree({ ...computer, ...parts }) },
    { path: "/tmp", tree: new TemporaryTree(clock, { mount: "/tmp" }) },
  ];
}
