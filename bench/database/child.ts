/** A whole computer with its shared database, in a process of its own; it does what the runner's messages say. */
import { bytesOnWire } from "../memory/sockets.ts";
import { once } from "node:events";
import { createServer } from "node:http";
import { inviteLink } from "../../core/net/identity/invite-link.ts";
import type { Computer } from "../../core/computer.ts";
import { silentLog } from "../../core/ports/log.ts";
import { startComputer } from "../../node/start-computer.ts";
import { serveCommands } from "../commands.ts";
import { linked } from "../memory/node.ts";
import { CREATE, INSERT_JSON, rowsOf } from "./rows.ts";

let computer: Computer | undefined;

const commands = {
  async open(join: string | undefined): Promise<string> {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const bound = server.address();
    if (typeof bound !== "object" || bound === null) throw new Error("The server has no port");
    computer = await startComputer({
      dataDir: process.cwd(),
      host: "127.0.0.1",
      server,
      url: `http://127.0.0.1:${bound.port}/`,
      join,
      name: undefined,
      cores: 0,
      device: undefined,
      storageBytes: undefined,
      log: silentLog,
    });
    if (join !== undefined) await linked(computer.net);
    return inviteLink(computer);
  },

  async create(): Promise<void> {
    await opened().sql.query(CREATE).run();
  },

  /** Writes these rows in one transaction. */
  async write(from: number, to: number): Promise<void> {
    await opened().sql.transaction(async (tx) => {
      await tx.query(INSERT_JSON, [JSON.stringify(rowsOf(from, to))]).run();
    });
  },

  /** Resolves when a query here counts that many rows. */
  async holds(count: number): Promise<void> {
    const { sql } = opened();
    for await (const { rows } of sql<{ n: number }>`SELECT count(*) AS n FROM t`.live()) {
      if (rows[0]?.n === count) return;
    }
  },

  bytes: async (): Promise<number> => bytesOnWire(),
};

export type DatabaseCommands = typeof commands;

function opened(): Computer {
  if (computer === undefined) throw new Error("It is not open");
  return computer;
}

serveCommands(commands);
