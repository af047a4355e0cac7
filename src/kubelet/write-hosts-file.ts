import { constants, type FileHandle, open } from 'node:fs/promises';

const MODE = 0o644;
const { O_CREAT, O_NOFOLLOW, O_RDWR } = constants;

/**
 * Makes the file say `text`. It is changed in place, since containers have this very file mounted; what it says already is not
 * written again, so that those who read it meanwhile see one or the other.
 */
export async function writeHostsFile(path: string, text: string): Promise<void> {
  await using file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, MODE);
  const bytes = Buffer.from(text);
  if (!(await says(file, bytes))) {
    await file.write(bytes, 0, bytes.length, 0);
    await file.truncate(bytes.length);
  }
  // The mode of open is cut by the umask; this is not.
  await file.chmod(MODE);
}

/** Containers may write it: it may have become of any size. */
async function says(file: FileHandle, bytes: Buffer): Promise<boolean> {
  const { size } = await file.stat();
  return size === bytes.length && bytes.equals(await file.readFile());
}
