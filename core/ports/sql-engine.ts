/**
 * A thread in which SQLite holds the index of the shared database, off the node's thread. core/db/engine/messages.ts
 * defines the messages to and from a thread.
 */
import type { Thread, ThreadEvents } from "./thread.ts";

export interface SqlThread extends Thread {
  /**
   * Tells the running call with that id to end. If a running thread can't be told (a tab without shared memory), it
   * does nothing, and the thread has to be terminated.
   */
  interrupt(id: number): void;
}

export interface SqlEngine {
  spawn(events: ThreadEvents): SqlThread;
}
