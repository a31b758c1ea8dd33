/** Prompts: backslash escapes, then expansions (bash manual, "Controlling the Prompt"). */
import { expandTemplate } from "./expand.ts";
import { ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import { templateOf } from "./source-text.ts";
import { formatTime } from "./strftime.ts";

/**
 * A prompt as it is shown. The commands in it are not traced, do not change `$?`, and if they fail the prompt stays
 * unchanged.
 */
export async function promptText(prompt: string, frame: Frame): Promise<string> {
  const { state, interpreter } = frame;
  const decoded = prompt.includes("\\") ? decode(prompt, frame) : prompt;
  if (!state.isSetOption("promptvars") || !/[$`\\]/.test(decoded)) return decoded;
  const { status, pipeStatus } = state;
  const isTraced = state.options.delete("xtrace");
  try {
    return await expandTemplate(templateOf(decoded), frame);
  } catch (error) {
    if (!(error instanceof ShellFault)) throw error;
    await interpreter.complain(error.message, frame);
    return "";
  } finally {
    if (isTraced) state.options.add("xtrace");
    state.status = status;
    state.pipeStatus = pipeStatus;
  }
}

function decode(text: string, frame: Frame): string {
  const { state } = frame;
  const isExpanded = state.isSetOption("promptvars");
  // Values from outside are not expanded again afterwards.
  const literal = (value: string): string => (isExpanded ? value.replaceAll(/[\\$`"]/g, "\\$&") : value);
  return text.replaceAll(/\\([0-7]{1,3}|D\{[^}]*\}|.)/gs, (whole, code: string) => {
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    const value = code.startsWith("D") ? timeOf(code, frame) : (valueOf(code, frame) ?? timeOf(code, frame));
    if (value !== undefined) return literal(value);
    if (code === "$") return isExpanded ? "\\$" : "$";
    return FIXED[code] ?? whole;
  });
}

const FIXED: Readonly<Record<string, string>> = {
  "\\": "\\",
  n: "\n",
  r: "\r",
  a: "\x07",
  e: "\x1b",
  "[": "",
  "]": "",
  l: "tty",
  v: "5.2",
  V: "5.2.0",
};

function valueOf(code: string, { state, jobs }: Frame): string | undefined {
  const { variables } = state;
  const host = variables.get("HOSTNAME") ?? "starfish";
  switch (code) {
    case "u":
      return variables.get("USER") ?? "user";
    case "h":
      return host.split(".")[0];
    case "H":
      return host;
    case "w":
    case "W":
      return directory(code, state.cwd, variables.get("HOME"));
    case "s":
      return state.name.split("/").at(-1);
    case "j":
      return String(jobs.running.length);
    case "!":
    case "#":
      return "1";
    default:
      return undefined;
  }
}

/** The pattern of strftime for each time escape. */
const TIMES: Readonly<Record<string, string>> = {
  d: "%a %b %d",
  t: "%H:%M:%S",
  T: "%I:%M:%S",
  "@": "%I:%M %p",
  A: "%H:%M",
};

function timeOf(code: string, { clock }: Frame): string | undefined {
  const own = /^D\{(.*)\}$/s.exec(code)?.[1];
  const pattern = own === "" ? "%H:%M:%S" : (own ?? TIMES[code]);
  return pattern === undefined ? undefined : formatTime(pattern, clock.now());
}

function directory(code: string, cwd: string, home: string | undefined): string {
  if (code === "W") return cwd === home ? "~" : cwd.split("/").at(-1) || "/";
  if (home !== undefined && home !== "/" && (cwd === home || cwd.startsWith(`${home}/`)))
    return `~${cwd.slice(home.length)}`;
  return cwd;
}
