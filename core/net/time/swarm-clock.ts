/** The clock that the parts of the net use: common time, and the bounds of time by which certificates are judged. */
import type { Clock } from "../../ports/clock.ts";
import type { When } from "../identity/certificate.ts";
import type { CommonTime } from "./time.ts";

/** The clock that the parts of the net use in place of the wall clock. */
export interface SwarmClock extends Clock {
  /**
   * The clock by which certificates are judged. Common time alone would let liars move it, and a wall clock alone could
   * have been set wrong.
   */
  when(): When;
}

/** `clock`, with the common time for its wall clock. */
export function swarmClock(clock: Clock, time: CommonTime): SwarmClock {
  return {
    now: () => time.now(),
    monotonic: () => clock.monotonic(),
    timer: (delayMs, fire) => clock.timer(delayMs, fire),
    when() {
      const [ownMs, commonMs] = [clock.now(), time.now()];
      return { earliestMs: Math.min(ownMs, commonMs), latestMs: Math.max(ownMs, commonMs) };
    },
  };
}
