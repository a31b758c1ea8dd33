/** Runs a program with node:wasi, another runtime of preview 1, and returns its standard output. */
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WASI } from "node:wasi";

/** Throws if the program fails. */
export async function outputByNode(
  bytes: Uint8Array,
  args: readonly string[],
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "starfish-wasi-"));
  try {
    for (const [path, content] of Object.entries(files)) writeFileSync(join(folder, path), content);
    const path = join(folder, "stdout");
    const options = { args: [...args], env: {}, preopens: { "/": folder }, stdout: openSync(path, "w") };
    const wasi = new WASI({ version: "preview1", returnOnExit: true, ...options });
    const module = new WebAssembly.Module(new Uint8Array(bytes));
    const imports: WebAssembly.Imports = { wasi_snapshot_preview1: wasi.wasiImport };
    for (const { module: from, name } of WebAssembly.Module.imports(module))
      if (from.startsWith("host_")) (imports[from] ??= {})[name] = () => 0;
    const status = wasi.start(await WebAssembly.instantiate(module, imports));
    if (status !== 0) throw new Error(`${args[0] ?? ""} exited with ${status}`);
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
