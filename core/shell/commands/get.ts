/** get: brings files of the swarm to the person's machine. */
import { StarfishError } from "../../base/errors.ts";
import { writeToHost } from "../files/host-streams.ts";
import { baseName, completePath, within } from "../files/paths.ts";
import { TransferLine } from "../files/progress.ts";
import { oneLine } from "../mem/value.ts";
import { parseArguments } from "../options.ts";
import type { Command, CommandContext } from "../types.ts";

type Context = CommandContext;

export const get: Command = {
  name: "get",
  summary: "bring files of the swarm to your machine",
  help: `
usage: get PATH [HOSTPATH]

Writes a file to HOSTPATH, or under its own name to the directory where you are; '-' is standard output, which is also
where it goes without HOSTPATH when that is a pipe. In a browser tab it is a download. A directory comes with all that is
in it (in a tab: 'export' makes one file of it). Ctrl-C leaves nothing half-written.

  echo hello | put - /hello.txt
  get /hello.txt -
`,
  async run(context) {
    const [path, target, extra] = parseArguments(context.args, {}).operands;
    if (path === undefined) throw new StarfishError("usage", "PATH is missing");
    if (extra !== undefined) throw new StarfishError("usage", `'${extra}' is one word too many`);
    const { files } = context.computer;
    const info = files.stat(path);
    if (info === undefined) throw new StarfishError("not-found", `there is no ${oneLine(path)}`);
    const line = new TransferLine(`get ${oneLine(baseName(info.path))}`, context);
    try {
      if (info.kind === "directory")
        await getDirectory(path, target ?? (baseName(info.path) || "starfish"), line, context);
      else if (target === "-" || (target === undefined && context.terminal.stdout === undefined)) {
        line.expect(info.sizeBytes);
        await toStdout(path, line, context);
      } else {
        line.expect(info.sizeBytes);
        await getFile(path, hostPath(target, baseName(info.path)), line, context);
      }
    } finally {
      line.hide();
    }
    return 0;
  },
  complete: completePath,
};

/** A target that ends with a slash is a directory. */
function hostPath(target: string | undefined, name: string): string {
  if (target === undefined) return name;
  return target.endsWith("/") ? target + name : target;
}

async function toStdout(path: string, line: TransferLine, { computer, signal, stdout }: Context): Promise<void> {
  for await (const chunk of line.through(computer.files.read(path, { signal }))) await stdout.write(chunk);
}

async function getFile(path: string, target: string, line: TransferLine, context: Context): Promise<void> {
  const { computer, signal } = context;
  await writeToHost(target, line.through(computer.files.read(path, { signal })), context);
}

async function getDirectory(path: string, target: string, line: TransferLine, context: Context): Promise<void> {
  const { computer, host, signal } = context;
  if (host.makeDirectory === undefined) {
    throw new StarfishError(
      "is-a-directory",
      `${oneLine(path)} is a directory: 'export ${oneLine(path)} --zip' makes one file of it`,
    );
  }
  const root = computer.files.stat(path)?.path ?? "/";
  for (const info of computer.files.walk(path)) {
    const inner = info.path.slice(root === "/" ? 1 : root.length + 1);
    const at = inner === "" ? target : within(target, inner);
    if (info.kind === "directory") {
      await host.makeDirectory(at, { signal });
      continue;
    }
    line.title = `get ${oneLine(baseName(info.path))}`;
    line.expect(info.sizeBytes);
    await getFile(info.path, at, line, context);
  }
}
