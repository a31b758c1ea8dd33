/** rm, rmdir: removal. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { reasonOf } from "../language/redirect.ts";
import { parentOf } from "../namespace/paths.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const rm: Command = utility({
  name: "rm",
  summary: "remove files and directories",
  help: `
usage: rm [-rfdv] PATH…

Removes each PATH; -r a directory with all that is in it, -f says nothing about what does not exist. 'restore' brings
back files of the swarm that were removed, for a while.

  echo hello > /tmp/a && rm /tmp/a
`,
  specs: {
    r: { long: "recursive" },
    R: {},
    f: { long: "force" },
    d: { long: "dir" },
    i: {},
    I: {},
    v: { long: "verbose" },
    "preserve-root": {},
    "no-preserve-root": {},
  },
  async run({ options, operands, names, path, signal, problem, out }) {
    if (operands.length === 0 && !options.has("f")) throw new StarfishError("usage", "missing operand");
    const isRecursive = options.has("r") || options.has("R");
    for (const operand of operands) {
      const target = path(operand);
      const entry = await names.stat(target, { signal });
      if (entry === undefined) {
        if (!options.has("f")) await problem(`cannot remove '${operand}': No such file or directory`);
        continue;
      }
      if (entry.kind === "directory" && !isRecursive && !options.has("d")) {
        await problem(`cannot remove '${operand}': Is a directory`);
        continue;
      }
      if (target === "/") {
        await problem("it is dangerous to operate on '/': name what is in it");
        continue;
      }
      if (/^(\.|\.\.)$/.test(operand.replace(/\/+$/, "").split("/").at(-1) ?? "")) {
        await problem(`refusing to remove '.' or '..' directory: skipping '${operand}'`);
        continue;
      }
      try {
        await names.remove(target, { signal, isRecursive });
        if (options.has("v")) await out(`removed '${operand}'\n`);
      } catch (error) {
        if (!isStarfishError(error) || error.code === "cancelled") throw error;
        await problem(
          `cannot remove '${operand}': ${error.code === "not-empty" ? "Directory not empty" : reasonOf(error)}`,
        );
      }
    }
    return 0;
  },
});

export const rmdir: Command = utility({
  name: "rmdir",
  summary: "remove empty directories",
  help: `
usage: rmdir [-pv] DIRECTORY…

  mkdir /tmp/empty && rmdir /tmp/empty
`,
  specs: { p: { long: "parents" }, v: { long: "verbose" }, "ignore-fail-on-non-empty": {} },
  async run({ options, operands, names, path, signal, problem }) {
    if (operands.length === 0) throw new StarfishError("usage", "missing operand");
    for (const operand of operands) {
      for (let target = path(operand); target !== "/"; target = parentOf(target)) {
        const entry = await names.stat(target, { signal });
        if (entry?.kind !== "directory") {
          await problem(
            `failed to remove '${operand}': ${entry === undefined ? "No such file or directory" : "Not a directory"}`,
          );
          break;
        }
        try {
          if ((await names.list(target, { signal })).length > 0) throw new StarfishError("not-empty", "");
          await names.remove(target, { signal });
        } catch (error) {
          if (!isStarfishError(error) || error.code === "cancelled") throw error;
          const isEmptyEnough = error.code === "not-empty" && options.has("ignore-fail-on-non-empty");
          if (!isEmptyEnough)
            await problem(
              `failed to remove '${operand}': ${error.code === "not-empty" ? "Directory not empty" : reasonOf(error)}`,
            );
          break;
        }
        if (!options.has("p")) break;
      }
    }
    return 0;
  },
});
