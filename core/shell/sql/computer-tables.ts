/**
 * The computer as tables, which can be read and joined with the user's own: members, files, jobs, processes, shared
 * memory, mail.
 */
import type { Unsubscribe } from "../../base/events.ts";
import type { Computer } from "../../computer.ts";
import type { ComputerTable } from "../../db/computer-table.ts";
import type { SqlValue } from "../../db/types.ts";
import type { Correspondent } from "../../io/mail/types.ts";
import { timeOf } from "../../memory/version.ts";
import { factsOf } from "../jobs/facts.ts";
import { oncePerLine } from "../jobs/show.ts";
import { toJson } from "../mem/value.ts";
import { Writers } from "../mem/writers.ts";
import { processesOf } from "../namespace/proc/processes.ts";

type Parts = Computer;

export function computerTables(computer: Parts): readonly ComputerTable[] {
  return [members(computer), files(computer), jobs(computer), processes(computer), mem(computer), mail(computer)];
}

/** Members that are awake or asleep; no table has members that have left. */
function members({ net }: Parts): ComputerTable {
  return {
    name: "members",
    columns:
      "peer TEXT, name TEXT, kind TEXT, role TEXT, status TEXT, is_self INTEGER, device TEXT, machine TEXT, cores_lent INTEGER, cores_busy INTEGER, started_at TEXT, link TEXT, round_trip_ms REAL",
    *rows() {
      const links = new Map(net.links().map((link) => [link.peer, link]));
      for (const { record, status, isSelf } of net.members()) {
        if (status === "gone") continue;
        const link = links.get(record.peer);
        yield [
          record.peer,
          record.name,
          record.kind,
          record.role,
          status,
          isSelf ? 1 : 0,
          record.device,
          record.host,
          record.coresLent,
          record.coresBusy,
          timeText(record.startedAtMs),
          link?.path.kind ?? null,
          link?.roundTripMs ?? null,
        ];
      }
    },
    onChange: (listener) => both(net.onMember(listener), net.onLinks(listener)),
  };
}

/** Directories too. A file's size is that of its content, whatever it takes on the devices. */
function files({ files: tree }: Parts): ComputerTable {
  return {
    name: "files",
    columns:
      "path TEXT, name TEXT, directory TEXT, kind TEXT, size INTEGER, modified_at TEXT, writer TEXT, cid TEXT, is_executable INTEGER, is_kept INTEGER",
    *rows() {
      for (const info of tree.walk("/")) {
        if (info.path === "/") continue;
        const slash = info.path.lastIndexOf("/");
        yield [
          info.path,
          info.path.slice(slash + 1),
          info.path.slice(0, slash) || "/",
          info.kind,
          info.kind === "directory" ? null : info.sizeBytes,
          timeText(info.modifiedAtMs),
          info.writerName || null,
          info.content?.cid ?? null,
          info.isExecutable ? 1 : 0,
          info.isKeptHere ? 1 : 0,
        ];
      }
    },
    onChange: (listener) => tree.watch("/", () => listener()),
  };
}

function jobs(computer: Parts): ComputerTable {
  return {
    name: "jobs",
    columns:
      "id TEXT, title TEXT, owner TEXT, state TEXT, tasks INTEGER, done INTEGER, running INTEGER, failed INTEGER, nodes INTEGER, submitted_at TEXT, elapsed_ms INTEGER",
    *rows() {
      for (const state of computer.jobs.list()) {
        const facts = factsOf(state, computer);
        yield [
          facts.id,
          facts.title,
          facts.owner,
          facts.state,
          facts.total,
          facts.done,
          facts.running,
          facts.failed,
          facts.nodes.length,
          timeText(state.submittedAtMs),
          Math.round(facts.elapsedMs),
        ];
      }
    },
    onChange: (listener) => computer.jobs.onChange(() => listener()),
  };
}

/** The processes of the shells at this node. */
function processes(computer: Parts): ComputerTable {
  return {
    name: "processes",
    columns: "pid INTEGER, parent INTEGER, command TEXT, state TEXT, directory TEXT",
    *rows() {
      for (const { process, parent, cwd } of oncePerLine(processesOf(computer).running()))
        yield [process.pid, parent, process.words.join(" "), process.isStopped ? "stopped" : "running", cwd];
    },
    onChange: (listener) => processesOf(computer).onChange(listener),
  };
}

function mem(computer: Parts): ComputerTable {
  return {
    name: "mem",
    columns: "key TEXT, value, writer TEXT, written_at TEXT, expires_at TEXT",
    *rows() {
      using writers = new Writers(computer);
      for (const { key, value, version, expiresAtMs } of computer.memory.entries("")) {
        yield [
          key,
          valueOf(value),
          writers.find(version.writer)?.record.name ?? null,
          timeText(timeOf(version.stamp)),
          expiresAtMs === undefined ? null : timeText(expiresAtMs),
        ];
      }
    },
    onChange: (listener) => computer.memory.watch("", () => listener()),
  };
}

/** This node's own mail; mail that is sealed to others can't be read here. */
function mail(computer: Parts): ComputerTable {
  return {
    name: "mail",
    columns:
      "box TEXT, number INTEGER, state TEXT, sender TEXT, recipients TEXT, subject TEXT, files INTEGER, sent_at TEXT, expires_at TEXT",
    *rows() {
      for (const {
        number,
        state,
        fromName,
        to,
        subject,
        files: attached,
        sentAtMs,
        expiresAtMs,
      } of computer.mail.inbox()) {
        const times = [timeText(sentAtMs), timeText(expiresAtMs)];
        yield ["inbox", number, state, fromName, namesOf(to), subject, attached.length, ...times];
      }
      const self = computer.net.member(computer.net.self)?.record.name ?? null;
      for (const { number, deliveries, subject, files: attached, sentAtMs, expiresAtMs } of computer.mail.sent()) {
        const states = new Set(deliveries.map(({ state }) => state));
        const state = states.size === 1 ? [...states].join("") : "partly";
        const times = [timeText(sentAtMs), timeText(expiresAtMs)];
        yield [
          "sent",
          number,
          state,
          self,
          namesOf(deliveries.map(({ to }) => to)),
          subject,
          attached.length,
          ...times,
        ];
      }
    },
    onChange: (listener) => computer.mail.onChange(listener),
  };
}

function namesOf(correspondents: readonly Correspondent[]): string {
  return correspondents.map(({ name }) => name).join(", ");
}

/** A value that SQL has no type for becomes JSON. */
function valueOf(value: unknown): SqlValue {
  if (value === null || typeof value === "number" || typeof value === "string" || value instanceof Uint8Array)
    return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "bigint" && BigInt.asIntN(64, value) === value ? value : toJson(value);
}

/** As SQLite's date functions take it, in UTC. */
function timeText(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().replace("T", " ").replace("Z", "");
}

function both(...all: readonly Unsubscribe[]): Unsubscribe {
  return () => {
    for (const unsubscribe of all) unsubscribe();
  };
}
