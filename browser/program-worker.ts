/** The program of the worker in which programs run in a tab. */
import { realClock } from "../core/platform/clock.ts";
import { realRandom } from "../core/platform/random.ts";
import type { FromThread, ToThread } from "../core/process/messages.ts";
import { serveProgramThread } from "../core/process/thread.ts";

/** The part of DedicatedWorkerGlobalScope that is used; the DOM's types describe a window here. */
interface WorkerScope {
  postMessage(message: FromThread, transfer: ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToThread>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const receive = serveProgramThread((message, transfer) => scope.postMessage(message, transfer), {
  clock: realClock,
  random: realRandom,
});
scope.addEventListener("message", (event) => receive(event.data));
