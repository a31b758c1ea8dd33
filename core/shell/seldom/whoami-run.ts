/** The code of whoami: this node as other members see it. */
import { utf8 } from "../../base/bytes.ts";
import { bytesWords, duration, paint, table } from "../format.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { CommandContext } from "../types.ts";

export async function runWhoami({ args, computer, stdout, terminal }: CommandContext): Promise<number> {
  const { options, operands } = parseArguments(args, { json: "flag" });
  noOperands(operands);
  const { net, cpu, storage, clock } = computer;
  const self = net.members().find((member) => member.isSelf)?.record;
  const facts = {
    name: self?.name ?? "",
    peer: net.self,
    kind: self?.kind ?? "node",
    device: self?.device ?? "",
    host: self?.host ?? "",
    role: net.role,
    swarm: net.swarm,
    coresLent: cpu.lent,
    cores: cpu.cores,
    storageBytes: storage.use().offeredBytes,
    addresses: self?.addresses ?? [],
    upMs: self === undefined ? 0 : Math.max(0, Math.round(clock.now() - self.startedAtMs)),
    clock: net.clockNotice() ?? null,
  };
  if (options.json === true) {
    await stdout.write(utf8(`${JSON.stringify(facts)}\n`));
    return 0;
  }
  const rows = [
    ["name", paint(`★ ${facts.name}`, net.self, terminal.stdout)],
    ["id", facts.peer],
    ["kind", facts.kind === "tab" ? "browser tab" : "node"],
    ["role", facts.role],
    ["swarm", facts.swarm],
    ["lends", `${facts.coresLent} of ${facts.cores} cores`],
    ["keeps", `up to ${bytesWords(facts.storageBytes)} of the swarm's files`],
    ["up", duration(facts.upMs)],
    ...(facts.clock === null ? [] : [["clock", facts.clock]]),
    ...facts.addresses.map((address, i) => [i === 0 ? "addresses" : "", address]),
  ];
  await stdout.print(table(rows));
  return 0;
}
