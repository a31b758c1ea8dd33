/**
 * A node that runs as part of a program. Another process tells it what to do with jobs: each request is a line of JSON,
 * and so is its answer.
 *
 *     node test/system/job-node.ts DATA CORES HOST [INVITE]
 *
 * Prints `invite: URL` when it is up.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { concat, text } from "../../core/base/bytes.ts";
import { messageOf } from "../../core/base/errors.ts";
import { startNode } from "../../node/index.ts";

export interface JobRequest {
  readonly submit?: { readonly task: string; readonly hi: number; readonly count: number };
  readonly state?: string;
  readonly result?: string;
  /** Which nodes do which tasks of a job, as far as this node knows. */
  readonly parts?: string;
  readonly members?: true;
}

const TASKS = join(import.meta.dirname, "../../dist/tasks");

const [dataDir = "", cores = "1", host = "127.0.0.1", invite] = process.argv.slice(2);
await using node = await startNode({
  dataDir,
  cores: Number(cores),
  host,
  ...(invite !== undefined && { join: invite }),
});
const { jobs, net } = node.computer;
process.stdout.write(`invite: ${node.url}#${net.invite()}\n`);

async function answer({ submit, state, result, parts, members }: JobRequest): Promise<unknown> {
  if (submit !== undefined) {
    const module = new Uint8Array(await readFile(join(TASKS, `${submit.task}.wasm`)));
    const { id } = await jobs.submit({
      title: submit.task,
      program: { kind: "bytes", module: await jobs.content(module) },
      inputs: { from: "range", lo: 0, hi: submit.hi, count: submit.count },
      combine: { how: "sum" },
      limits: { memoryBytesMax: 64 * 1024 * 1024, timeMsMax: 60_000 },
    });
    return id;
  }
  if (state !== undefined) {
    const { state: now, tasks, nodes, outcome } = jobs.state(state) ?? {};
    return { state: now ?? "unknown", tasks, nodes: nodes?.size, by: outcome?.is === "done" ? outcome.by : undefined };
  }
  if (parts !== undefined) return { self: net.self, nodes: [...(jobs.state(parts)?.nodes ?? [])] };
  if (result !== undefined) return text(concat(await Array.fromAsync(jobs.result(result))));
  if (members === true) return net.members().filter(({ status }) => status === "awake").length;
  throw new Error("What is to be done?");
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${JSON.stringify({ answer: await answer(JSON.parse(line) as JobRequest) })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: messageOf(error) })}\n`);
  }
}
