/** The variables that a shell begins with. */
import type { SessionOptions } from "./interpreter.ts";
import type { ShellState } from "./state.ts";
import { IndexedArray } from "./variables.ts";

/** Sets what bash sets in a new shell; `pid` as in SessionOptions. */
export function setFirstVariables(
  state: ShellState,
  {
    environment,
    cwd,
    pid = 1000,
    hostName = "starfish",
  }: Pick<SessionOptions, "environment" | "cwd" | "pid" | "hostName">,
): void {
  const { variables } = state;
  const set = (name: string, value: string, isExported = false): void => {
    const variable = variables.declare(name, { global: true });
    variable.value = value;
    if (isExported) variable.isExported = true;
  };
  set("IFS", " \t\n");
  set("PATH", "/bin:/usr/bin", true);
  set("PS4", "+ ");
  set("OPTIND", "1");
  set("BASH_VERSION", "5.2.0(1)-starfish");
  set("BASH", "/bin/bash");
  set("HOSTNAME", hostName);
  set("HOSTTYPE", "wasm32");
  set("MACHTYPE", "wasm32-unknown-starfish");
  set("OSTYPE", "starfish");
  set("PPID", String(pid - 1));
  set("UID", "0");
  set("EUID", "0");
  set("SHLVL", "1", true);
  set("SHELL", "/bin/bash");
  for (const [name, value] of environment ?? []) set(name, value, true);
  set("PWD", cwd, true);
  const oldPwd = variables.declare("OLDPWD", { global: true });
  oldPwd.isExported = true;
  for (const name of ["UID", "EUID", "PPID", "BASH_VERSINFO"]) variables.declare(name, { global: true });
  variables.setWhole("BASH_VERSINFO", IndexedArray.of(["5", "2", "0", "1", "starfish", "wasm32-unknown-starfish"]));
  for (const name of ["UID", "EUID", "PPID"]) {
    const variable = variables.declare(name, { global: true });
    variable.isReadonly = true;
    variable.isInteger = true;
  }
}
