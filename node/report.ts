/**
 * The output of a running node: lines for people, or one JSON object a line for programs. The log never has secrets.
 */
import type { Log, LogLevel } from "../core/ports/log.ts";
import type { Net } from "../core/net/types.ts";
import { shown, type Text } from "../core/shell/styled.ts";
import { harmless } from "../core/shell/harmless.ts";

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface Report {
  /** Something worth knowing: `text` for people, event and fields for programs. */
  say(event: string, text: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A drawing, for people only. */
  draw(text: Text): void;
  readonly log: Log;
}

/** `levelMin` is the lowest level of the log that is shown; people need only warnings. */
export function createReport(options: { readonly json: boolean; readonly levelMin?: LogLevel }): Report {
  const { json } = options;
  const rankMin = RANK[options.levelMin ?? (json ? "info" : "warn")];
  const line = (fields: Readonly<Record<string, unknown>>): void => {
    process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...fields })}\n`);
  };
  return {
    say(event, text, fields = {}): void {
      if (json) line({ level: "info", event, ...fields });
      else print(process.stdout, `${text}\n`);
    },
    draw(text): void {
      if (!json) process.stdout.write(shown(text));
    },
    log: {
      write(level, event, fields = {}): void {
        if (RANK[level] < rankMin) return;
        if (json) line({ level, event, ...fields });
        else
          print(
            process.stderr,
            `${level}: ${event}${Object.keys(fields).length === 0 ? "" : ` ${JSON.stringify(fields)}`}\n`,
          );
      },
    },
  };
}

/** The text contains names and errors of others; nothing in them may control a terminal. */
export function print(stream: NodeJS.WriteStream, text: string): void {
  stream.write(stream.isTTY ? harmless(text) : text);
}

/** Says who comes, goes, and changes its name. */
export function reportMembers(net: Net, report: Report): void {
  const names = new Map<string, string>();
  net.onMember(({ member: { record, status, isSelf }, before }) => {
    const { peer, name, kind } = record;
    const known = names.get(peer);
    const what = kind === "tab" ? "a browser tab" : "a node";
    const fields = { peer, name, kind };
    if (status === "gone") {
      names.delete(peer);
      if (isSelf || before === undefined || before === "gone") return;
      const left = record.state === "left";
      report.say(left ? "left" : "lost", left ? `- ${name} left` : `- ${name} is gone without a goodbye`, fields);
      return;
    }
    names.set(peer, name);
    if (isSelf) return;
    if (before === undefined || before === "gone") report.say("joined", `+ ${name} joined (${what})`, fields);
    else if (known !== undefined && known !== name) report.say("renamed", `  ${known} is now called ${name}`, fields);
  });
}
