/** The bundled tasks, as assets of the page that are loaded when first run. */
import { StarfishError } from "../core/base/errors.ts";

const urls = import.meta.glob<string>("../dist/tasks/*.wasm", { query: "?url", import: "default", eager: true });

/** One loader for each task, by its name ("primes"). Rejects with "unreachable" when the page's server has gone. */
export const builtins: Readonly<Record<string, () => Promise<Uint8Array>>> = Object.fromEntries(
  Object.entries(urls).map(([path, url]) => {
    const name = path.slice(path.lastIndexOf("/") + 1, -".wasm".length);
    return [name, () => load(name, url)];
  }),
);

async function load(name: string, url: string): Promise<Uint8Array> {
  const response = await fetch(url).catch((error: unknown) => {
    throw new StarfishError(
      "unreachable",
      `The task ${name} could not be loaded: the node that served this page does not answer`,
      {
        cause: error,
        retryable: true,
      },
    );
  });
  if (!response.ok) throw new StarfishError("not-found", `The task ${name} is not on the server (${response.status})`);
  return new Uint8Array(await response.arrayBuffer());
}
