/** A volume of a pod cannot be given; the message is upstream's, which people search for. */
export class MountError extends Error {
  override readonly name = 'MountError';

  constructor(volume: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`MountVolume.SetUp failed for volume "${volume}" : ${why}`, { cause });
  }
}
