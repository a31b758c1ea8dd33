/**
 * The port SqlEngine in virtual time: SQLite itself runs at once on this thread, and its answer comes after roughly the
 * time that a machine of that speed takes. Messages are copied, as between threads.
 */
import sqlite3 from "@sqlite.org/sqlite-wasm";
import type { AnswerMessage, CallMessage } from "../../core/db/engine/messages.ts";
import { serveIndex } from "../../core/db/engine/serve.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { Random } from "../../core/ports/random.ts";
import type { SqlEngine } from "../../core/ports/sql-engine.ts";
import type { Life, Machine } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";

/** One SQLite for all machines: their databases share nothing but its memory. */
const sqlite = await sqlite3();

const LOAD_MS = 100;
const CALL_MS = 0.2;
/** The time between two looks of SQLite at the clock, on a real machine. */
const PROGRESS_MS = 0.5;

export function simSqlEngine(
  scheduler: Scheduler,
  machine: Machine,
  life: Life,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): SqlEngine {
  return {
    spawn: ({ receive }) => {
      let isEnded = false;
      let steps = 0;
      const later = (delayMs: number, work: () => void): void => {
        scheduler.after(delayMs, machine.name, () => {
          if (life.alive && !isEnded) work();
        });
      };
      const post = (answer: AnswerMessage): void => {
        const copy = structuredClone(answer);
        later(CALL_MS, () => receive(copy));
      };
      const serve = serveIndex(
        {
          sqlite,
          now: () => clock.now(),
          // A statement takes no virtual time, but it may take only so many steps.
          monotonic: () => (steps += PROGRESS_MS),
          random: () => random.real(),
          interrupted: () => 0,
        },
        post,
      );
      const readyMs = scheduler.nowMs + LOAD_MS / machine.speed;
      return {
        post: (message) => {
          const copy = structuredClone(message) as CallMessage;
          later(Math.max(CALL_MS, readyMs - scheduler.nowMs), () => serve(copy));
        },
        interrupt: () => {},
        setBusy: () => {},
        terminate: () => {
          isEnded = true;
        },
      };
    },
  };
}
