/** When media is due. Seconds; the video element's side of it is `hls/playback.ts`. */
export interface Deadlines {
  /** Until playback runs dry; 0 while it stands still for want of media; Infinity while nothing is due. */
  secondsLeft(): number;
  /** Takes the arrival of so many seconds of media; says whether they were on time. */
  arrived(durationSeconds: number): boolean;
}
