import { describe, expect, it } from "vitest";
import { type Attempt, race } from "./race.ts";

const never = new AbortController().signal;

function attempt(name: string, run: Attempt<string>["run"], leadMs = 10_000): Attempt<string> {
  return { name, leadMs, timeoutMs: 20_000, run };
}

/** Hangs until it is called off, and says so. */
function hanging(calledOff: string[], name: string): Attempt<string> {
  const run = (signal: AbortSignal): Promise<string> =>
    new Promise(() => signal.addEventListener("abort", () => calledOff.push(name)));
  return attempt(name, run, 1);
}

describe("race", () => {
  it("takes the first success and calls off the others", async () => {
    const calledOff: string[] = [];
    const outcome = await race(
      [hanging(calledOff, "a"), hanging(calledOff, "b"), attempt("c", async () => "c")],
      never,
    );
    expect(outcome).toEqual({ won: true, value: "c" });
    expect(calledOff.toSorted()).toEqual(["a", "b"]);
  });

  it("never calls off the winner, not even when the signal aborts later", async () => {
    const controller = new AbortController();
    let signal: AbortSignal | undefined;
    await race([attempt("a", async (own) => ((signal = own), "a"))], controller.signal);
    controller.abort();
    expect(signal?.aborted).toBe(false);
  });

  it("starts the next at once when one fails, and names all failures", async () => {
    const error = new Error("no");
    const failing = (name: string): Attempt<string> => attempt(name, () => Promise.reject(error));
    expect(await race([failing("a"), failing("b")], never)).toEqual({
      won: false,
      failures: [
        { name: "a", error },
        { name: "b", error },
      ],
    });
    expect(await race([failing("a"), attempt("b", async () => "b")], never)).toEqual({ won: true, value: "b" });
  });

  it("ends with the signal, also when an attempt does not heed it, and with nothing to try", async () => {
    const controller = new AbortController();
    const deaf = race([attempt("deaf", () => new Promise(() => {}))], controller.signal);
    controller.abort();
    expect(await deaf).toMatchObject({ won: false, failures: [{ name: "deaf" }] });
    expect(await race([], never)).toEqual({ won: false, failures: [] });
  });

  it("gives each attempt its time", async () => {
    const slow = { ...attempt("slow", () => new Promise<string>(() => {})), timeoutMs: 5 };
    expect(await race([slow], never)).toMatchObject({ won: false, failures: [{ error: { code: "timeout" } }] });
  });
});
