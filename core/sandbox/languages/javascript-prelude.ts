/**
 * The code that runs in QuickJS before a script. It hides everything that differs between devices, and passes texts
 * between script and driver. It is written as text because it runs in another engine. The driver provides `draw`, which
 * returns the next number of the task's random sequence.
 */
export const PRELUDE: string = `(draw) => {
  const { parse, stringify } = JSON;
  const StringOf = String;
  const isError = (value) => value instanceof Error;
  Math.random = () => draw();
  const quiet = () => {};
  globalThis.console = { log: quiet, info: quiet, warn: quiet, error: quiet, debug: quiet };
  let task, reduce, settled, form;
  const describe = (error) => {
    if (!isError(error)) return "thrown: " + StringOf(error);
    const stack = StringOf(error.stack ?? "").split("\\n").filter((line) => line !== "" && !line.includes("starfish.js"));
    return [StringOf(error.name) + ": " + StringOf(error.message), ...stack].join("\\n");
  };
  const json = (value) => {
    const text = stringify(typeof value === "bigint" ? StringOf(value) : value, (_, part) =>
      typeof part === "bigint" ? StringOf(part) : part,
    );
    if (text === undefined) throw new TypeError("what the function gave can't be written as JSON: " + typeof value);
    return text;
  };
  const written = (value) => {
    if (value === undefined) return form === "values" ? "jnull" : "n";
    if (form !== "values" && typeof value === "string") return "t" + value;
    return "j" + json(value);
  };
  const given = (value) => {
    if (value === null || typeof value !== "object" || typeof value.then !== "function") return written(value);
    settled = undefined;
    value.then((result) => (settled = written(result))).catch((error) => (settled = "e" + describe(error)));
    return "p";
  };
  const guarded = (work) => {
    try {
      return work();
    } catch (error) {
      return "e" + describe(error);
    }
  };
  const functionOf = (value, what) => {
    if (typeof value === "function") return value;
    throw new TypeError(what + " is no function but " + (value === null ? "null" : typeof value));
  };
  return {
    describe,
    isSyntax: (error) => error instanceof SyntaxError,
    settled: () => settled ?? "p",
    load: (value, isModule) => guarded(() => {
      if (isModule && value.default === undefined) throw new TypeError("the module has no default export: write export default x => …");
      task = functionOf(isModule ? value.default : value, "the script");
      return "n";
    }),
    loadReduce: (value, isModule) => guarded(() => {
      reduce = functionOf(isModule ? value.default : value, "the reduction");
      return "n";
    }),
    call: (how, text) => guarded(() => {
      form = how;
      return given(task(how === "values" || how === "numbers" ? parse(text) : text));
    }),
    fold: (text) => guarded(() => {
      form = "values";
      const values = parse(text);
      let all = values[0];
      for (let i = 1; i < values.length; i++) all = reduce(all, values[i]);
      return given(all);
    }),
  };
}`;
