/**
 * Threads in which programs (WASI preview 1 commands) run, off the node's thread. One thread runs all programs of a
 * session: a call that waits suspends its program (JavaScript Promise Integration), so that the others go on.
 * core/process/messages.ts defines the messages to and from a thread.
 */
import type { Thread, ThreadEvents } from "./thread.ts";

export interface Programs {
  spawn(events: ThreadEvents): Thread;
}
