/** What the place of files consists of, as one file to load. */
export { FilesView } from "./files-view.ts";
export { SpaceView } from "./space.ts";
