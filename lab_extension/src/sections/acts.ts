/** Acts on rows: asked once where they cost or destroy, followed by a toast. */
import type { Poll } from '../api/poll';
import { confirm } from '../dialogs/confirm';
import type { IHubyard } from '../hubyard';
import { follow } from '../toast';

interface IAct<T> {
  readonly question: {
    readonly title: string;
    readonly text: string;
    readonly confirm: string;
    readonly destroys?: boolean;
  } | null;
  readonly job: () => Promise<T>;
  readonly pending: string;
  readonly success: string;
  readonly poll: Poll<unknown[]> | { refresh(): Promise<void> };
}

/** Ask, do, show, and look again. */
export async function act<T>(hubyard: IHubyard, wish: IAct<T>): Promise<void> {
  if (wish.question !== null && !(await confirm(hubyard, wish.question))) {
    return;
  }
  const job = wish.job().finally(() => void wish.poll.refresh());
  follow(job, { pending: wish.pending, success: () => wish.success });
}
