/** The code of `send`: collects what to send, shows the progress, and says how it ended. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { SendProgress, TransferSource } from "../../io/transfer/types.ts";
import { Missing } from "../files/missing.ts";
import { bytesWords, count, duration } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { parseArguments } from "../options.ts";
import { STATUS } from "../status.ts";
import type { CommandContext } from "../types.ts";
import { findMember, shortId } from "../who.ts";
import { sourceOf } from "./source.ts";
import { StateLine } from "./state-line.ts";

export async function runSend(context: CommandContext): Promise<number> {
  const { computer, signal, stdout } = context;
  const { options, operands } = parseArguments(context.args, { json: "flag" });
  const [wanted, ...paths] = operands;
  if (wanted === undefined) throw new StarfishError("usage", "NODE is missing: who it is for");
  const { record, isSelf, status } = findMember(computer.net.members(), wanted);
  if (isSelf) throw new StarfishError("usage", "that is this node itself");
  const name = oneLine(record.name);
  if (status === "asleep") throw new StarfishError("unreachable", `${name} is asleep: 'mail' waits until it is back`);
  const missing = new Missing("send", context, () => line.hide());
  const line = new StateLine(`send to ${name}`, context);
  const began = computer.clock.monotonic();
  let last: SendProgress | undefined;
  let source: TransferSource | undefined;
  try {
    line.wait("looking at what is to be sent");
    source = await sourceOf(paths, missing, context);
    const isPipe = source.entries.some(({ kind, sizeBytes }) => kind === "file" && sizeBytes === undefined);
    const onProgress = (progress: SendProgress): void => {
      last = progress;
      show(progress, isPipe ? `'receive' at ${name}` : `${name} to accept it`, line);
    };
    await computer.transfer.send(record.peer, source, { signal, onProgress });
  } catch (error) {
    throw isStarfishError(error, "unreachable") && last === undefined
      ? new StarfishError("unreachable", `${error.message}; 'mail' waits until it is back`, { cause: error })
      : error;
  } finally {
    line.hide();
  }
  const ms = computer.clock.monotonic() - began;
  const { entries } = source;
  const files = entries.filter(({ kind }) => kind === "file").length;
  const bytes = last?.doneBytes ?? 0;
  if (options.json === true) {
    const told = {
      to: record.peer,
      name: record.name,
      files,
      bytes,
      resumedBytes: last?.resumedBytes ?? 0,
      ms: Math.round(ms),
    };
    await stdout.print(`${JSON.stringify(told)}\n`);
  } else {
    const what = `${count(files, "file")}, ${bytesWords(bytes)}`;
    await stdout.print(`${name} (${shortId(record.peer)}) has it: ${what} in ${duration(ms)}\n`);
  }
  await missing.sum();
  return missing.count === 0 ? STATUS.ok : STATUS.failed;
}

/** @param event what it waits for when nobody has taken it yet */
function show({ state, doneBytes, totalBytes, hasPerson }: SendProgress, event: string, line: StateLine): void {
  if (state === "sending") line.progress(doneBytes, totalBytes);
  else if (state === "linking") line.wait("looking for a way");
  else if (state === "checking") line.wait("comparing what is there already");
  else if (state === "interrupted") line.wait("the link broke; looking for it again");
  else line.ask(`waiting for ${event}${hasPerson ? "" : "; nobody is at the screen there now"}`, "send");
}
