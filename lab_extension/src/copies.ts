/** Copies: notebooks that the platform keeps, opened as files of this workspace. */
import type { Contents } from '@jupyterlab/services';

const NOT_FOUND = 404;

/** What copies need of the workspace's files. */
export type Files = Pick<Contents.IManager, 'get' | 'save'>;

/** Whether there is such a file; whatever else goes wrong is no answer. */
export async function isThere(files: Files, path: string): Promise<boolean> {
  try {
    await files.get(path, { content: false });
    return true;
  } catch (reason) {
    if (statusOf(reason) === NOT_FOUND) {
      return false;
    }
    throw reason;
  }
}

/**
 * Have the copy as a file.
 *
 * One that was fetched before stays as it is: its owner may have written into it.
 */
export async function keepCopy(
  files: Files,
  path: string,
  fetch: () => Promise<string>
): Promise<void> {
  if (await isThere(files, path)) {
    return;
  }
  const content: unknown = JSON.parse(await fetch());
  await files.save(path, { type: 'notebook', format: 'json', content });
}

function statusOf(reason: unknown): number | undefined {
  return (reason as { response?: { status?: number } }).response?.status;
}
