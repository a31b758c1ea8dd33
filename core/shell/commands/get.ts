/** get: copies files of the swarm to the user's machine. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { FileInfo } from "../../disk/types.ts";
import { writeToHost } from "../files/host-streams.ts";
import { Missing } from "../files/missing.ts";
import { baseName, completeWith, placeOf, within } from "../files/paths.ts";
import { TransferLine } from "../files/progress.ts";
import { oneLine } from "../mem/value.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import { STATUS } from "../status.ts";
import type { Command, CommandContext } from "../types.ts";

type Context = CommandContext;

export const get: Command = {
  name: "get",
  summary: "copy files of the swarm to your machine",
  help: `
usage: get PATH [HOSTPATH]
       get --tar | --zip | --car PATH [HOSTPATH]

Writes a file to HOSTPATH, or under its own name into your current directory. '-' is standard output, which is also used
without HOSTPATH if it is a pipe. In a browser tab it downloads. A directory is copied with its contents (in a tab use
--zip). Files that can't be read, or whose names your machine does not allow, are named and skipped; the status is 1
then. Ctrl-C leaves nothing half-written.

--tar and --zip make one archive of a file or directory. --car makes an archive of one file for IPFS's tools, under the
CID that they give it.

  echo hello | put - /hello.txt
  get /hello.txt -
`,
  async run(context) {
    const { options, operands } = parseArguments(context.args, { tar: "flag", zip: "flag", car: "flag" });
    const asked = (["car", "tar", "zip"] as const).filter((format) => options[format] === true);
    if (asked.length > 1) throw new StarfishError("usage", "give only one of --tar, --zip and --car");
    if (asked[0] !== undefined) {
      const { pack } = await import("../files/pack.ts");
      await pack(operands, asked[0], context);
      return STATUS.ok;
    }
    const [operand, target] = operands;
    if (operand === undefined) throw new StarfishError("usage", "PATH is missing");
    noOperands(operands.slice(2));
    const { files } = context.computer;
    const path = placeOf(operand, context);
    const info = files.stat(path);
    if (info === undefined) throw new StarfishError("not-found", `there is no ${oneLine(operand)}`);
    const line = new TransferLine(`get ${oneLine(baseName(info.path))}`, context);
    try {
      if (info.kind === "directory") {
        const missing = new Missing("get", context, () => line.hide());
        await getDirectory(info, target ?? ownName(info, context), line, missing, context);
        await missing.sum();
        return missing.count === 0 ? STATUS.ok : STATUS.failed;
      }
      if (target === "-" || (target === undefined && context.terminal.stdout === undefined)) {
        line.expect(info.sizeBytes);
        await toStdout(path, line, context);
      } else {
        line.expect(info.sizeBytes);
        const isNamed = target !== undefined && !target.endsWith("/");
        await getFile(path, isNamed ? target : (target ?? "") + ownName(info, context), line, context);
      }
    } finally {
      line.hide();
    }
    return 0;
  },
  complete: completeWith("--tar", "--zip", "--car"),
};

/** The file's own name, if the user's machine allows it. Throws "unsupported". */
function ownName({ path }: FileInfo, { host }: Context): string {
  const name = baseName(path) || "starfish";
  const trouble = host.nameTrouble?.(name);
  if (trouble === undefined) return name;
  throw new StarfishError(
    "unsupported",
    `${path} can't have its name here (${trouble}): give another one, as in 'get PATH NAME'`,
  );
}

async function toStdout(path: string, line: TransferLine, { computer, signal, stdout }: Context): Promise<void> {
  for await (const chunk of line.through(computer.files.read(path, { signal }))) await stdout.write(chunk);
}

async function getFile(path: string, target: string, line: TransferLine, context: Context): Promise<void> {
  const { computer, signal } = context;
  await writeToHost(target, line.through(computer.files.read(path, { signal })), context);
}

async function getDirectory(
  root: FileInfo,
  target: string,
  line: TransferLine,
  missing: Missing,
  context: Context,
): Promise<void> {
  const { computer, host, signal } = context;
  if (host.makeDirectory === undefined) {
    throw new StarfishError(
      "is-a-directory",
      `${oneLine(root.path)} is a directory: 'get --zip ${oneLine(root.path)}' makes one file of it`,
    );
  }
  await host.makeDirectory(target, { signal });
  for (const info of computer.files.walk(root.path)) {
    const inner = info.path.slice(root.path === "/" ? 1 : root.path.length + 1);
    if (inner === "") continue;
    try {
      const at = within(target, namesHere(inner, context));
      if (info.kind === "directory") await host.makeDirectory(at, { signal });
      else {
        line.title = `get ${oneLine(baseName(info.path))}`;
        line.expect(info.sizeBytes);
        await getFile(info.path, at, line, context);
      }
    } catch (error) {
      // Only this file fails: it has gone or is out of reach, or the user's machine refuses it.
      if (signal.aborted || !isStarfishError(error) || error.code === "closed" || error.code === "full") throw error;
      await missing.tell(`${info.path}: ${error.message}`);
    }
  }
}

/**
 * The path, if the machine allows each of its names. A name that it takes for a path could lead anywhere. Throws
 * "unsupported".
 */
function namesHere(path: string, { host }: Context): string {
  for (const name of path.split("/")) {
    const trouble = host.nameTrouble?.(name);
    if (trouble !== undefined) throw new StarfishError("unsupported", `no file can have that name here (${trouble})`);
  }
  return path;
}
