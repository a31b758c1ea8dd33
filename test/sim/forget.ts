/**
 * Releases worlds once their test is over. Node holds what waits for one of several signals (AbortSignal.any) until one
 * of them aborts, and with it the whole world. On a crashed machine none ever aborts, and after a hundred seeds the
 * memory would be full. So each such signal also aborts at the end of its test.
 */
import { afterEach } from "vitest";

let test = new AbortController();
const any = AbortSignal.any.bind(AbortSignal);

AbortSignal.any = (signals) => any([...signals, test.signal]);

afterEach(() => {
  test.abort();
  test = new AbortController();
});
