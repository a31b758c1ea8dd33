/** Makes any picture small enough to be a person's: cut to a square, drawn anew, and so without a camera's notes. */
import { StarfishError } from "../../core/base/errors.ts";
import { PICTURE_BYTES_MAX } from "../../core/io/people/limits.ts";

const SIDE = 96;
const QUALITY = 0.85;
/** A browser that can't write one of them writes PNG instead, which may take more. */
const TYPES = ["image/webp", "image/jpeg", "image/png"];

/** Rejects with "malformed" if the browser can't show it, "too-large", "unsupported". */
export async function shrinkPicture(bytes: Uint8Array): Promise<Uint8Array> {
  let image: ImageBitmap;
  try {
    image = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
  } catch (error) {
    throw new StarfishError("malformed", "this browser can't show that as a picture", { cause: error });
  }
  try {
    const canvas = document.createElement("canvas");
    canvas.width = SIDE;
    canvas.height = SIDE;
    const context = canvas.getContext("2d");
    if (context === null) throw new StarfishError("unsupported", "this browser can't draw pictures");
    const side = Math.min(image.width, image.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    for (const type of TYPES) {
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, QUALITY));
      if (blob?.type === type && blob.size <= PICTURE_BYTES_MAX) return new Uint8Array(await blob.arrayBuffer());
    }
    throw new StarfishError("too-large", "this browser can't make that picture small enough");
  } finally {
    image.close();
  }
}
