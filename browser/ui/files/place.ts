/** All parts of the place of files, as one file to load. */
export { FilesView } from "./files-view.ts";
export { SpaceView } from "./space.ts";
