import type { ContainerState, ContainerStatus } from '#api/generated/core-v1.ts';

/** What the last words of all containers of a pod may take together, bytes; upstream's. */
const MOST_OF_A_POD = 12 * 1024;

/** What each of so many containers may say at the end: they share evenly, so that a pod's status stays small. */
export const mostOfContainer = (containers: number): number => Math.floor(MOST_OF_A_POD / Math.max(1, containers));

/** The status with no message of an end longer than so many bytes; the very same where there is none. */
export function limitMessages(status: ContainerStatus, most: number): ContainerStatus {
  const state = limited(status.state, most);
  const lastState = limited(status.lastState, most);
  if (state === status.state && lastState === status.lastState) return status;
  return { ...status, ...(state && { state }), ...(lastState && { lastState }) };
}

function limited(state: ContainerState | undefined, most: number): ContainerState | undefined {
  const { terminated } = state ?? {};
  const message = terminated?.message;
  if (message === undefined || Buffer.byteLength(message) <= most) return state;
  // A character that was cut apart goes whole.
  const cut = Buffer.from(message)
    .subarray(0, most)
    .toString()
    .replace(/\uFFFD$/, '');
  return { ...state, terminated: { ...terminated!, message: cut } };
}
