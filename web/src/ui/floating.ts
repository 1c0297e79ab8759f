/** Picture in picture, where the browser has it and the page's frame may use it. Firefox has a button of its own. */
export function canFloat(): boolean {
  return 'pictureInPictureEnabled' in document && document.pictureInPictureEnabled;
}

/** Lets the picture float, or brings it back. Does nothing where it cannot, or the browser wants a press first. */
export async function toggleFloating(
  video: HTMLVideoElement,
  root: DocumentOrShadowRoot,
): Promise<void> {
  if (!canFloat()) return;
  const isFloating = root.pictureInPictureElement === video;
  await (isFloating ? document.exitPictureInPicture() : video.requestPictureInPicture()).catch(
    () => undefined,
  );
}
