/**
 * The life of a tab: closed, frozen, thawed, offline and online again. A closed laptop is the normal case, not an
 * error. The tab says that it sleeps if it is told in time, and links again by itself when it wakes.
 */
import type { Computer } from "../core/computer.ts";

export function followLife(computer: Computer): void {
  const { net } = computer;
  const awake = (): void => net.update({ state: "awake" });
  addEventListener("pagehide", (event) => {
    // A page that is kept for the back button sleeps; any other is gone.
    if (event.persisted) net.update({ state: "asleep" });
    else void net.leave();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) awake();
  });
  document.addEventListener("freeze", () => net.update({ state: "asleep" }));
  document.addEventListener("resume", awake);
  addEventListener("online", awake);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && isAsleep(computer)) awake();
  });
}

function isAsleep({ net }: Computer): boolean {
  return net.member(net.self)?.record.state === "asleep";
}
