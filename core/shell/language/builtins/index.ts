/** All builtins, by name. */
import type { Builtin } from "../frame.ts";
import * as control from "./control.ts";
import * as directory from "./directory.ts";
import * as input from "./input.ts";
import * as jobs from "./jobs.ts";
import * as names from "./names.ts";
import * as output from "./output.ts";
import * as tests from "./test.ts";
import * as variables from "./variables.ts";

const { quiet, ...named } = names;

export const builtins: ReadonlyMap<string, Builtin> = new Map(
  [
    ...[control, directory, input, jobs, named, output, tests, variables].flatMap((part) => Object.values(part)),
    ...quiet,
  ]
    .filter((one): one is Builtin => typeof one === "object" && "usage" in one)
    .map((one) => [one.name, one]),
);
