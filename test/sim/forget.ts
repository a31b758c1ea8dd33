/**
 * Lets worlds go once their test is over. What waits for one of several signals (AbortSignal.any) is held by Node until one
 * of them aborts, and with it the whole world; on a machine that has crashed none ever would, and a hundred seeds later the
 * memory is full. So each such signal aborts with the test too.
 */
import { afterEach } from "vitest";

let test = new AbortController();
const any = AbortSignal.any.bind(AbortSignal);

AbortSignal.any = (signals) => any([...signals, test.signal]);

afterEach(() => {
  test.abort();
  test = new AbortController();
});
