/** What is known of the terminal that a program writes to. */
import type { TerminalFacts } from "./frames.ts";

/** Undefined if there is none. */
export function terminalFacts(stream: NodeJS.WriteStream): TerminalFacts | undefined {
  if (!stream.isTTY) return undefined;
  const program = process.env["TERM_PROGRAM"] ?? "";
  const inline =
    ["iTerm.app", "WezTerm", "vscode", "mintty"].includes(program) || process.env["LC_TERMINAL"] === "iTerm2";
  return {
    columns: stream.columns || 80,
    rows: stream.rows || 24,
    colours: (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb",
    pictures: inline ? "inline" : "blocks",
  };
}
