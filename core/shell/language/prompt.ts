/** Backslash escapes of prompts: `\u@\h:\w\$` (bash manual, "Controlling the Prompt"). */
import type { Frame } from "./frame.ts";

export function expandPrompt(text: string, frame: Frame): string {
  const { state } = frame;
  const { variables } = state;
  return text.replaceAll(/\\(\d{3}|D\{[^}]*\}|.)/gs, (whole, code: string) => {
    switch (code[0]) {
      case "u":
        return variables.get("USER") ?? "user";
      case "h":
        return (variables.get("HOSTNAME") ?? "starfish").split(".")[0] ?? "";
      case "H":
        return variables.get("HOSTNAME") ?? "starfish";
      case "w":
      case "W":
        return directory(code, state.cwd, variables.get("HOME"));
      case "$":
        return "$";
      case "s":
        return state.name.split("/").at(-1) ?? "";
      case "n":
        return "\n";
      case "r":
        return "\r";
      case "a":
        return "\x07";
      case "e":
        return "\x1b";
      case "\\":
        return "\\";
      case "j":
        return "0";
      case "[":
      case "]":
        return "";
      case "v":
        return "5.2";
      case "V":
        return "5.2.0";
      case "t":
        return new Date(frame.clock.now()).toISOString().slice(11, 19);
      case "A":
        return new Date(frame.clock.now()).toISOString().slice(11, 16);
      case "d":
        return new Date(frame.clock.now()).toUTCString().slice(0, 11).replace(",", "");
      default:
        return /^\d{3}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : whole;
    }
  });
}

function directory(code: string, cwd: string, home: string | undefined): string {
  if (code === "W") return cwd === home ? "~" : cwd.split("/").at(-1) || "/";
  if (home !== undefined && home !== "/" && (cwd === home || cwd.startsWith(`${home}/`)))
    return `~${cwd.slice(home.length)}`;
  return cwd;
}
