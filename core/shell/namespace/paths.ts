/** Absolute paths of the namespace. Pure. */

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function join(directory: string, path: string): string {
  if (directory === "/") return path.startsWith("/") ? path : `/${path}`;
  if (path === "" || path === "/") return directory;
  return path.startsWith("/") ? directory + path : `${directory}/${path}`;
}

/** Whether `path` is `directory`, or is below it. */
export function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}
