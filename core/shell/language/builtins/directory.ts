/** cd, pwd, pushd, popd, dirs: the current directory and the stack of them. */
import { setVariable } from "../assign.ts";
import type { Builtin, BuiltinCall, Frame } from "../frame.ts";
import { absolutePath } from "../glob.ts";
import { physicalPath } from "../physical.ts";

export const cd: Builtin = {
  name: "cd",
  summary: "change the current directory",
  usage: "cd [-LP] [DIRECTORY|-]",
  async run(call) {
    const { args, frame, complain } = call;
    let at = 0;
    let letters = "";
    for (; /^-[LPe@]+$/.test(args[at] ?? ""); at++) letters += args[at] ?? "";
    if (args[at] === "--") at++;
    else if (/^-./.test(args[at] ?? "")) {
      await complain(`${args[at] ?? ""}: invalid option`);
      return 2;
    }
    const words = args.slice(at);
    if (words.length > 1) {
      await complain("too many arguments");
      return 1;
    }
    const { variables } = frame.state;
    let target = words[0];
    let isShown = false;
    if (target === undefined) {
      target = variables.get("HOME");
      if (target === undefined) {
        await complain("HOME not set");
        return 1;
      }
    } else if (target === "-") {
      target = variables.get("OLDPWD");
      isShown = true;
      if (target === undefined) {
        await complain("OLDPWD not set");
        return 1;
      }
    }
    const found = await inCdPath(target, frame);
    const status = await go(found ?? target, call, isPhysical(letters, frame));
    if (status === 0 && (isShown || found !== undefined)) await call.out(`${frame.state.cwd}\n`);
    return status;
  },
};

async function inCdPath(target: string, { state, files, signal }: Frame): Promise<string | undefined> {
  const path = state.variables.get("CDPATH");
  if (path === undefined || path === "" || /^(\/|\.\.?(\/|$))/.test(target)) return undefined;
  for (const folder of path.split(":")) {
    const candidate = absolutePath(`${folder === "" ? "." : folder}/${target}`, state.cwd);
    if ((await files.stat(candidate, { signal }))?.kind === "directory")
      return folder === "" || folder === "." ? undefined : candidate;
  }
  return undefined;
}

/** Whether links give way to where they lead: the last of -L and -P says so. */
function isPhysical(letters: string, { state }: Frame): boolean {
  const last = letters.replaceAll(/[^LP]/g, "").at(-1);
  return last === undefined ? state.option("physical") : last === "P";
}

async function go(target: string, { frame, complain }: BuiltinCall, hasNoLinks = false): Promise<number> {
  const { state, files, signal } = frame;
  if (target === "") return 0;
  const readLink = files.readLink?.bind(files);
  const path = hasNoLinks ? physicalPath(state.cwd, target, readLink) : absolutePath(target, state.cwd);
  // `cd nowhere/..` fails too.
  const before = /^(.*?[^/])\/+\.\.(?:\/|$)/.exec(target)?.[1];
  const isBroken =
    before !== undefined && (await files.stat(absolutePath(before, state.cwd), { signal }))?.kind !== "directory";
  const status = isBroken ? undefined : await files.stat(path, { signal });
  if (status?.kind !== "directory") {
    await complain(`${target}: ${status === undefined ? "No such file or directory" : "Not a directory"}`);
    return 1;
  }
  const oldPath = state.variables.get("PWD") ?? state.cwd;
  state.cwd = path;
  setVariable("OLDPWD", undefined, oldPath, false, frame);
  setVariable("PWD", undefined, path, false, frame);
  return 0;
}

export const pwd: Builtin = {
  name: "pwd",
  summary: "say what the current directory is",
  usage: "pwd [-LP]",
  async run({ args, frame, out, complain }) {
    const bad = args.find((word) => word.startsWith("-") && !/^-[LP]+$/.test(word) && word !== "--");
    if (bad !== undefined) {
      await complain(`${bad}: invalid option`);
      return 2;
    }
    const { cwd } = frame.state;
    const readLink = frame.files.readLink?.bind(frame.files);
    await out(`${isPhysical(args.join(""), frame) ? physicalPath("/", cwd, readLink) : cwd}\n`);
    return 0;
  },
};

function shown(path: string, { state }: Frame, isLong = false): string {
  const home = state.variables.get("HOME");
  if (isLong || home === undefined || home === "" || home === "/") return path;
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

async function list(call: BuiltinCall, args: readonly string[] = []): Promise<number> {
  const { frame, out, complain } = call;
  const letters = args.filter((word) => /^-[clpv]+$/.test(word)).join("");
  const { state } = frame;
  if (letters.includes("c")) {
    state.directoryStack = [];
    return 0;
  }
  const all = [state.cwd, ...state.directoryStack].map((path) => shown(path, frame, letters.includes("l")));
  const index = args.find((word) => /^[+-]\d+$/.test(word));
  if (index !== undefined) {
    const one = index.startsWith("+") ? all[Number(index.slice(1))] : all[all.length - 1 - Number(index.slice(1))];
    if (one === undefined) {
      await complain(`${index}: directory stack index out of range`);
      return 1;
    }
    await out(`${one}\n`);
    return 0;
  }
  const bad = args.find((word) => !/^-[clpv]+$/.test(word));
  if (bad !== undefined) {
    await complain(/^[+-]/.test(bad) ? `${bad}: invalid number` : `${bad}: invalid option`);
    return 2;
  }
  if (letters.includes("v")) await out(all.map((path, i) => `${String(i).padStart(2)}  ${path}\n`).join(""));
  else await out(`${all.join(letters.includes("p") ? "\n" : " ")}\n`);
  return 0;
}

export const dirs: Builtin = {
  name: "dirs",
  summary: "the stack of directories",
  usage: "dirs [-clpv] [+N] [-N]",
  run: (call) => list(call, call.args),
};

export const pushd: Builtin = {
  name: "pushd",
  summary: "change the directory and keep the one before on the stack",
  usage: "pushd [-n] [+N|-N|DIRECTORY]",
  async run(call) {
    const { frame, complain } = call;
    const { state } = frame;
    const words = call.args.filter((word) => word !== "-n" && word !== "--");
    if (words.length > 1) {
      await complain("too many arguments");
      return 1;
    }
    const [word] = words;
    const all = [state.cwd, ...state.directoryStack];
    if (word === undefined && all.length < 2) {
      await complain("no other directory");
      return 1;
    }
    if (word === undefined || /^[+-]\d+$/.test(word)) {
      const at =
        word === undefined ? 1 : word.startsWith("+") ? Number(word.slice(1)) : all.length - 1 - Number(word.slice(1));
      if (at < 0 || at >= all.length) {
        await complain(`${word ?? ""}: directory stack index out of range`);
        return 1;
      }
      const rotated =
        word === undefined ? [all[1] ?? "", all[0] ?? "", ...all.slice(2)] : [...all.slice(at), ...all.slice(0, at)];
      if (!call.args.includes("-n") && (await go(rotated[0] ?? "", call)) !== 0) return 1;
      state.directoryStack = rotated.slice(1);
      return await list(call);
    }
    const before = state.cwd;
    if (call.args.includes("-n")) {
      state.directoryStack = [word, ...state.directoryStack];
      return await list(call);
    }
    if (word.startsWith("-")) {
      await complain(`${word}: invalid option`);
      return 2;
    }
    if ((await go(word, call)) !== 0) return 1;
    state.directoryStack = [before, ...state.directoryStack];
    return await list(call);
  },
};

export const popd: Builtin = {
  name: "popd",
  summary: "go back to the directory on top of the stack",
  usage: "popd [-n] [+N|-N]",
  async run(call) {
    const { frame, complain } = call;
    const { state } = frame;
    const words = call.args.filter((word) => word !== "-n" && word !== "--");
    const [word] = words;
    if (words.length > 1 || (word !== undefined && !/^[+-]\d+$/.test(word))) {
      await complain(
        words.length > 1
          ? "too many arguments"
          : `${word ?? ""}: invalid ${word?.startsWith("-") === true ? "option" : "argument"}`,
      );
      return 2;
    }
    const all = [state.cwd, ...state.directoryStack];
    if (all.length < 2) {
      await complain("directory stack empty");
      return 1;
    }
    const at =
      word === undefined ? 0 : word.startsWith("+") ? Number(word.slice(1)) : all.length - 1 - Number(word.slice(1));
    if (at < 0 || at >= all.length) {
      await complain(`${word ?? ""}: directory stack index out of range`);
      return 1;
    }
    // With -n the current directory stays, and the one after it goes.
    const removed = at === 0 && call.args.includes("-n") ? 1 : at;
    const rest = all.filter((_, i) => i !== removed);
    if (removed === 0 && (await go(rest[0] ?? "", call)) !== 0) return 1;
    state.directoryStack = rest.slice(1);
    return await list(call);
  },
};
