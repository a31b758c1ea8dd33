/** Reads a checkout of WASI's public suite: its modules, their inputs, and the outputs that they have to give. */
import { existsSync, globSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

export interface WasiCase {
  readonly suite: string;
  readonly name: string;
  readonly module: Uint8Array;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly exitCode: number;
  readonly stdout: string | undefined;
  readonly stderr: string | undefined;
  /** Files of its root by path; a directory is null. Undefined if the program gets no files. */
  readonly files: Readonly<Record<string, Uint8Array | null>> | undefined;
}

interface Specification {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly root?: string;
  readonly dirs?: readonly string[];
  readonly exit_code?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

export function readSuite(checkout: string): WasiCase[] {
  const paths = globSync(join(checkout, "tests/*/testsuite/wasm32-wasip1/*.wasm")).sort();
  return paths.map((path) => {
    const folder = dirname(path);
    const file = path.replace(/\.wasm$/, ".json");
    const wanted = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Specification) : {};
    const root = wanted.root ?? wanted.dirs?.[0];
    return {
      suite: basename(join(folder, "../..")),
      name: basename(path, ".wasm"),
      module: readFileSync(path),
      args: wanted.args ?? [],
      environment: wanted.env ?? {},
      exitCode: wanted.exit_code ?? 0,
      stdout: wanted.stdout,
      stderr: wanted.stderr,
      files: root === undefined ? undefined : readFolder(join(folder, root)),
    };
  });
}

function readFolder(folder: string): Record<string, Uint8Array | null> {
  const files: Record<string, Uint8Array | null> = {};
  if (!existsSync(folder)) return files;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(folder, name);
    files[`/${relative(folder, path)}`] = statSync(path).isDirectory() ? null : readFileSync(path);
  }
  return files;
}
