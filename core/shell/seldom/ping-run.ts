/** The code of ping: sends messages one after the other, and sums up their round trips. */
import { utf8 } from "../../base/bytes.ts";
import { isStarfishError, messageOf, StarfishError } from "../../base/errors.ts";
import { sleep, withDeadline } from "../../ports/clock.ts";
import { duration } from "../format.ts";
import { oneOperand } from "../operands.ts";
import { parseArguments, wholeNumber } from "../options.ts";
import { STATUS } from "../status.ts";
import type { CommandContext } from "../types.ts";
import { findMember } from "../who.ts";

const COUNT_MAX = 10_000;
const PAUSE_MS = 500;
/** A peer that has not answered by then is not there, or dialling it has failed. */
const ANSWER_MS = 10_000;

/** @param countDefault how many are sent by default */
export async function runPing(context: CommandContext, countDefault: number): Promise<number> {
  const args = context.args.map((word) => (word === "-c" ? "--count" : word));
  const { options, operands } = parseArguments(args, { count: "value" });
  const wanted = oneOperand(operands, "PEER");
  const total = options.count === undefined ? countDefault : wholeNumber(options.count, "--count", 1, COUNT_MAX);
  const { record, isSelf } = findMember(context.computer.net.members(), wanted);
  if (isSelf) throw new StarfishError("usage", "that is this node itself");
  const times: number[] = [];
  let sent = 0;
  try {
    for (; sent < total; sent++) {
      if (sent > 0) await sleep(context.computer.clock, PAUSE_MS, { signal: context.signal });
      await once(context, record.peer, record.name, sent + 1, times);
    }
  } catch (error) {
    if (!isStarfishError(error, "cancelled")) throw error;
    await summary(context, record.name, times, sent);
    return STATUS.interrupted;
  }
  await summary(context, record.name, times, total);
  return times.length > 0 ? STATUS.ok : STATUS.failed;
}

/** One round. A lost message is reported and counted; only a cancellation ends the others. */
async function once(
  context: CommandContext,
  peer: string,
  name: string,
  number: number,
  times: number[],
): Promise<void> {
  const { computer, signal, stdout, stderr } = context;
  try {
    const ms = await withDeadline(
      computer.clock,
      ANSWER_MS,
      "The answer",
      (inner) => computer.net.ping(peer, { signal: inner }),
      { signal },
    );
    times.push(ms);
    await stdout.write(utf8(`${number}: ${name} answered in ${duration(ms)}\n`));
  } catch (error) {
    if (signal.aborted || isStarfishError(error, "cancelled") || isStarfishError(error, "closed")) throw error;
    await stderr.write(utf8(`${number}: ${messageOf(error)}\n`));
  }
}

async function summary(context: CommandContext, name: string, times: readonly number[], sent: number): Promise<void> {
  const sorted = [...times].sort((a, b) => a - b);
  const least = sorted[0];
  const most = sorted.at(-1);
  const middle = sorted[Math.floor(sorted.length / 2)];
  let line = `${name}: ${times.length} of ${sent} came back`;
  if (least !== undefined && most !== undefined && middle !== undefined) {
    line += `; least ${duration(least)}, median ${duration(middle)}, most ${duration(most)}`;
  }
  await (context.signal.aborted ? context.lastWords : context.stdout).write(utf8(`${line}\n`));
}
