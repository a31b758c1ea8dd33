/** /bin: all commands, the shell's own and programs. Reading a command of the shell gives its help. */
import type { Command } from "../../types.ts";
import { ViewTree, type View } from "../view.ts";
import { changesOf } from "../watching.ts";

export interface BinParts {
  readonly commands: () => Iterable<Pick<Command, "name" | "summary" | "help">>;
  /** Available programs, by name. */
  readonly programs?: () => ReadonlyMap<string, View>;
}

const MODE = 0o555;

export function binTree({ commands, programs }: BinParts): ViewTree {
  const list = (): ReadonlyMap<string, View> => {
    const all = new Map(programs?.());
    for (const { name, summary, help } of commands()) {
      all.set(name, {
        kind: "file",
        mode: MODE,
        text: () => `${name}: ${summary}\n\n${help.trim()}\n`,
        about: summary,
      });
    }
    return all;
  };
  return new ViewTree({
    mount: "/bin",
    root: { kind: "directory", list },
    why: "these are the commands that come along; put programs and scripts of your own elsewhere, and name it in PATH",
    // The bundled commands do not change while it runs.
    watch: (_path, { signal }) => changesOf(() => () => {}, signal),
  });
}
